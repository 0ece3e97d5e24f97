package handlers

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/a-h/templ"

	"tend/services"
	"tend/views/layout"
	"tend/views/model"
	"tend/views/pages"
)

func TestLongViewsArePackedForWhoUnpacks(t *testing.T) {
	long := strings.Repeat("<p>0123456789</p>", 10_000)
	for _, c := range []struct {
		accepts, text string
		packed        bool
	}{
		{"gzip, deflate, br", long, true},
		{"br;q=1.0, gzip;q=0.5", long, true},
		{"gzip; q=0", long, false},
		{"", long, false},
		{"gzip", "<p>short</p>", false},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Accept-Encoding", c.accepts)
		w := httptest.NewRecorder()
		if err := new(handler).render(w, r, http.StatusOK, templ.Raw(c.text)); err != nil {
			t.Fatal(err)
		}
		body := io.Reader(w.Body)
		packed := w.Header().Get("Content-Encoding") == "gzip"
		if packed != c.packed || w.Header().Get("Vary") != "Accept-Encoding" {
			t.Errorf("accepting %q: %v", c.accepts, w.Header())
		}
		if packed {
			if w.Body.Len() > len(c.text)/10 {
				t.Errorf("packed into %d bytes", w.Body.Len())
			}
			var err error
			if body, err = gzip.NewReader(w.Body); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := io.ReadAll(body); err != nil || string(got) != c.text {
			t.Errorf("accepting %q: %d bytes come, of %d: %v", c.accepts, len(got), len(c.text), err)
		}
	}
}

func TestOfAViewThatFailsNothingIsWritten(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	w := httptest.NewRecorder()
	broken := errors.New("broken")
	view := templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		io.WriteString(w, strings.Repeat("x", packFrom+1))
		return broken
	})
	if err := new(handler).render(w, r, http.StatusOK, view); !errors.Is(err, broken) || w.Body.Len() > 0 {
		t.Errorf("%v, and %d bytes", err, w.Body.Len())
	}
}

func TestTheHeadOfAViewComesBeforeTheRest(t *testing.T) {
	h := &handler{Deps: Deps{Log: slog.New(slog.DiscardHandler)}}
	flushed, broken := make(chan struct{}), errors.New("broken")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.render(w, r, http.StatusOK, templ.ComponentFunc(func(_ context.Context, w io.Writer) error { //nolint:errcheck // it does not return
			io.WriteString(w, "<head>")
			w.(http.Flusher).Flush()
			<-flushed
			io.WriteString(w, "half of it")
			return broken
		}))
	}))
	defer srv.Close()
	res, err := http.Get(srv.URL) // unpacks by itself
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	begin := make([]byte, len("<head>"))
	if _, err := io.ReadFull(res.Body, begin); err != nil || string(begin) != "<head>" {
		t.Errorf("it begins with %q, %v", begin, err)
	}
	close(flushed)
	if rest, err := io.ReadAll(res.Body); err == nil {
		t.Errorf("what broke off looks whole, and ends with %q", rest)
	}
}

func TestABrowserHasTimeToPaintTheBeginningOfALongList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		list := make([]*services.Status, 3*firstRows)
		for i := range list {
			list[i] = &services.Status{ID: fmt.Sprint(i), Name: fmt.Sprint(i)}
		}
		takes := func(ctx context.Context, split bool) time.Duration {
			overview := model.OverviewOf(list, model.Find{}, 0, model.Frame{Now: time.Now(), Recent: NewRecent()})
			if split {
				overview.Split(firstRows)
			}
			begin := time.Now()
			r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/", nil)
			if err := new(handler).render(httptest.NewRecorder(), r, http.StatusOK, pages.Overview(layout.Frame{}, overview)); err != nil {
				t.Error(err)
			}
			return time.Since(begin)
		}
		goes, cancel := context.WithTimeout(t.Context(), paintTime/2)
		defer cancel()
		for _, c := range []struct {
			what  string
			ctx   context.Context
			split bool
			want  time.Duration
		}{
			{"for who goes", goes, true, paintTime / 2},
			{"in two parts", t.Context(), true, paintTime},
			{"in one", t.Context(), false, 0},
		} {
			if got := takes(c.ctx, c.split); got != c.want {
				t.Errorf("%s it takes %v, want %v", c.what, got, c.want)
			}
		}
	})
}

func TestAnEmptyJSONObjectIsNoBody(t *testing.T) {
	for body, empty := range map[string]bool{"{}": true, " { }\n": true, "": true, "null": true, `{"a":1}`: false, "[]": false, "{": false, strings.Repeat(" ", 99) + "{}": false} {
		if got := emptyObject(strings.NewReader(body)); got != empty {
			t.Errorf("%q: %v", body, got)
		}
	}
}
