package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAPrivateFileIsForItsOwnerAndReplacedAsAWhole(t *testing.T) {
	p := Private{Dir: t.TempDir(), Name: "access.json"}
	path := filepath.Join(p.Dir, p.Name)
	if data, err := p.Read(); data != nil || err != nil {
		t.Fatalf("nothing reads as %q, %v", data, err)
	}
	for _, text := range []string{"one", "two"} {
		if err := p.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if data, err := p.Read(); string(data) != text || err != nil {
			t.Errorf("%q reads as %q, %v", text, data, err)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	said := p.SetAside(errors.New("it is torn"))
	if !strings.Contains(said, "it is torn") || !strings.Contains(said, path) {
		t.Errorf("says %q", said)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
	aside, _ := filepath.Glob(path + ".corrupt-*")
	if len(aside) != 1 {
		t.Fatalf("set aside: %v", aside)
	}
	if info, err := os.Stat(aside[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

func TestAPrivateFileThatIsNoneStopsNobody(t *testing.T) {
	p := Private{Dir: t.TempDir(), Name: "access.json"}
	if err := os.Mkdir(filepath.Join(p.Dir, p.Name), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Read(); err == nil {
		t.Error("a directory was read")
	}
}
