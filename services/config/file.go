package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"

	"tend/services"
)

// FileName is what a configuration is called.
const FileName = "tend.yaml"

// Find returns the absolute path of the nearest tend.yaml from dir upwards.
// NotFound, in a sentence that says where it looked and how to begin.
func Find(dir string) (string, error) {
	from, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find %s: %w", FileName, err)
	}
	for dir := from; ; dir = filepath.Dir(dir) {
		path := filepath.Join(dir, FileName)
		// Whatever bears the name counts: a directory or a dangling link is
		// explained by Load, not skipped in favour of another file above.
		if _, err := os.Lstat(path); err == nil {
			return path, nil
		}
		if dir == filepath.Dir(dir) {
			break
		}
	}
	hint := "write one that begins with\n\n  servers:\n    web:\n      command: ./web --port 8080\n      port: 8080\n\nor name another file with --config, or try `tend demo`"
	if _, err := os.Lstat(filepath.Join(from, "tend.yml")); err == nil {
		hint = "there is a tend.yml: rename it, or name it with --config tend.yml"
	}
	return "", services.Errorf(services.NotFound, "no %s in %s or any directory above it: %s", FileName, from, hint)
}

// open reads a configuration file whole, after it has made sure that nobody
// else could have written into it: its commands are run with our rights.
func open(path string) (string, error) {
	// O_NONBLOCK: opening a fifo would wait for a writer that may never come.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", errors.New("there is no such file: check the path, or leave --config out to use the nearest " + FileName)
	case errors.Is(err, fs.ErrPermission):
		return "", errors.New("may not be read: give this user the right to read it (chmod, chown)")
	case err != nil:
		return "", fmt.Errorf("cannot be opened: %w", cause(err))
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("cannot be examined: %w", cause(err))
	}
	if err := trusted(path, info); err != nil {
		return "", err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return "", fmt.Errorf("cannot be read: %w", cause(err))
	}
	if len(data) > maxBytes {
		return "", fmt.Errorf("is larger than %d MB, which no configuration is: check the path", maxBytes>>20)
	}
	return string(data), nil
}

func trusted(path string, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return fmt.Errorf("is a directory: name the file in it, such as %s", filepath.Join(path, FileName))
	case !info.Mode().IsRegular():
		return errors.New("is not a regular file: a configuration has to be one, since it is read again later")
	case info.Mode().Perm()&0o002 != 0:
		return fmt.Errorf("can be written by everybody, and its commands would be run: chmod o-w %s", path)
	}
	if uid, ok := ownerOf(info); ok && uid != 0 && uid != os.Geteuid() {
		return fmt.Errorf("belongs to another user (uid %d), and its commands would be run as uid %d: run tend as that user, or chown %d %s", uid, os.Geteuid(), os.Geteuid(), path)
	}
	return nil
}

// cause strips the path that os errors repeat.
func cause(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// clean refuses what is not text, with the place where it stops being text,
// and drops a byte order mark.
func clean(data string, r *report) (string, bool) {
	if strings.HasPrefix(data, "\xff\xfe") || strings.HasPrefix(data, "\xfe\xff") {
		r.add(place{}, "", "is written in UTF-16: save it as UTF-8")
		return "", false
	}
	data = strings.TrimPrefix(data, "\ufeff")
	line, column := 1, 0
	for i, c := range data {
		column++
		if c == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(data[i:]); size == 1 {
				r.add(place{line, column}, "", "this is not text: the file has to be YAML in UTF-8")
				return "", false
			}
		}
		if c < ' ' && c != '\n' && c != '\t' && c != '\r' || c == 0x7f {
			r.add(place{line, column}, "", "this is not text but a control character (%#x): remove it", c)
			return "", false
		}
		if c == '\n' {
			line, column = line+1, 0
		}
	}
	return data, true
}
