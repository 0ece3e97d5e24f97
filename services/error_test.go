package services_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"tend/services"
)

func TestEveryKindIsFoundAgainHoweverDeepItIs(t *testing.T) {
	want := map[services.Kind]bool{
		services.NotFound: true, services.Conflict: true, services.Invalid: true,
		services.Forbidden: true, services.Unavailable: true, services.Internal: true,
	}
	for _, kind := range services.Kinds {
		if !want[kind] {
			t.Errorf("%q is listed twice or is no kind", kind)
		}
		delete(want, kind)
		err := services.Errorf(kind, "port %d is taken", 80)
		if err.Error() != "port 80 is taken" || err.Kind != kind || err.Unwrap() != nil {
			t.Errorf("%+v says %q", err, err)
		}
		for _, wrapped := range []error{err, fmt.Errorf("start: %w", fmt.Errorf("api: %w", err)), errors.Join(fs.ErrNotExist, err)} {
			if got := services.KindOf(wrapped); got != kind {
				t.Errorf("%v is of kind %q, want %q", wrapped, got, kind)
			}
		}
	}
	if len(want) != 0 {
		t.Errorf("not listed: %v", want)
	}
}

func TestAnErrorKeepsItsCause(t *testing.T) {
	err := &services.Error{Kind: services.Unavailable, Msg: "the state cannot be written", Err: fs.ErrPermission}
	if err.Error() != "the state cannot be written: permission denied" || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("it says %q", err)
	}
	outer := &services.Error{Kind: services.Conflict, Msg: "not now", Err: err}
	if services.KindOf(outer) != services.Conflict {
		t.Error("the outermost kind counts")
	}
}

func TestWhatHasNoKindIsInternal(t *testing.T) {
	if got := services.KindOf(errors.New("x")); got != services.Internal {
		t.Errorf("kind %q", got)
	}
	if got := services.KindOf(nil); got != "" {
		t.Errorf("nil is of kind %q", got)
	}
}
