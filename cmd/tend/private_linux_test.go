package main

import (
	"io/fs"
	"path/filepath"
	"testing"

	"tend/services"
)

// A umask of 0 shows what each file is made with: nothing may rely on a mask
// that hides what was left open, or be closed only after its first byte.
func TestNothingInTheDataDirectoryIsOpenToOthersUnderAMaskOfZero(t *testing.T) {
	w := newWard(t, 0, nil)
	w.wrap = []string{"sh", "-c", `umask 0; exec "$@"`, "sh"}
	w.configure(`
tls: self-signed
servers:
  a: {command: [sh, -c, 'while :; do echo line; sleep 0.01; done'], ready: {log: line}}
  crasher: {command: [sh, -c, 'echo x > /dev/stderr; exit 1'], backoff: {min: 10ms, give_up: 3}}
  speaks: {command: [sleep, "1000"], ready: {notify: true}}
`)
	w.open()
	w.waitFor("a", services.Running)
	w.waitFor("crasher", services.Failed)
	walk := func() (seen int) {
		err := filepath.WalkDir(filepath.Join(w.dir, ".tend"), func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return nil // it has just been replaced
			}
			info, err := entry.Info()
			if err != nil {
				return nil // likewise
			}
			seen++
			if wide := info.Mode().Perm() & 0o077; wide != 0 && info.Mode()&fs.ModeSymlink == 0 {
				t.Errorf("%s has the mode %v", path, info.Mode())
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		return seen
	}
	for range 20 { // files come and go meanwhile
		w.tend("restart", "a", "--no-wait")
		if seen := walk(); seen < 8 {
			t.Errorf("only %d files are there", seen)
		}
	}
	w.kill()
	w.open()
	w.waitFor("a", services.Running)
	walk()
}
