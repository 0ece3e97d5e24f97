package process

import (
	"bufio"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"tend/services"
)

// readEnvFile reads lines of NAME=value: blank lines and # comments are
// skipped, `export ` is allowed, single quotes keep a value as it is, double
// quotes know \n, \t, \", \\ and \$. Nothing is expanded. Every error is of
// kind Invalid and names file and line, never a value; Unavailable for want of
// descriptors.
func readEnvFile(path string) (map[string]string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO would wait for its writer
	if err != nil {
		kind := services.Invalid
		if noRoom(err) {
			kind = services.Unavailable
		}
		return nil, services.Errorf(kind, "env_file %s cannot be read: %v", path, reason(err))
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, services.Errorf(services.Invalid, "env_file %s is not a plain file", path)
	}
	out := map[string]string{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, why := envLine(line)
		if why != "" {
			return nil, services.Errorf(services.Invalid, "%s:%d: %s", path, n, why)
		}
		out[name] = value
	}
	if err := lines.Err(); err != nil {
		return nil, services.Errorf(services.Invalid, "env_file %s cannot be read: %v", path, err)
	}
	return out, nil
}

// envLine reads one assignment; why says what is wrong with it.
func envLine(line string) (name, value, why string) {
	name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
	name = strings.TrimSpace(name)
	switch {
	case !ok:
		return "", "", "a line is NAME=value, this one has no ="
	case !validVariable(name):
		return "", "", "a name has letters, digits and _ and begins with no digit"
	case strings.ContainsRune(value, 0):
		return "", "", "the value of " + name + " contains a NUL byte"
	}
	value = strings.TrimSpace(value)
	if value == "" {
		return name, "", ""
	}
	switch value[0] {
	case '\'':
		end := strings.IndexByte(value[1:], '\'')
		if end < 0 || !onlyComment(value[end+2:]) {
			return "", "", "the quote that begins the value of " + name + " is not closed at its end"
		}
		return name, value[1 : end+1], ""
	case '"':
		text, rest, closed := unquote(value[1:])
		if !closed || !onlyComment(rest) {
			return "", "", "the quote that begins the value of " + name + " is not closed at its end"
		}
		return name, text, ""
	}
	if i := strings.Index(value, " #"); i >= 0 {
		value = strings.TrimSpace(value[:i])
	}
	return name, value, ""
}

func onlyComment(rest string) bool {
	rest = strings.TrimSpace(rest)
	return rest == "" || rest[0] == '#'
}

// unquote reads up to the closing double quote.
func unquote(s string) (text, rest string, closed bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:], true
		case s[i] == '\\' && i+1 < len(s):
			i++
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case '"', '\\', '$':
				b.WriteByte(s[i])
			default:
				b.WriteByte('\\')
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

func validVariable(name string) bool {
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return name != ""
}

// reason is the cause of a path error without the path again.
func reason(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
