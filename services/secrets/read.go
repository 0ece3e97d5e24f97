package secrets

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"tend/services"
)

const (
	most     = 64 << 10         // bytes of a value; the kernel takes no more than 128 kB
	patience = 10 * time.Second // for one command
)

// Read reads every secret of a server anew and keeps the values. Where one
// cannot be had it returns none: Invalid where a person has to mend something
// (a file), Unavailable where the next attempt may succeed (a command). The
// sentence names the variable and never a value.
func (k *Keeper) Read(ctx context.Context, server services.Server) (map[string]string, error) {
	values := make(map[string]string, len(server.Secrets))
	names := make([]string, 0, len(server.Secrets))
	for name := range server.Secrets {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		value, err := read(ctx, name, server.Secrets[name])
		if err != nil {
			return nil, err
		}
		values[name] = value
	}
	k.replace(server.Name, maps.Clone(values))
	return values, nil
}

// Foresee reads the secrets of a server that are files, as far as they can be
// read now, so that they are hidden in what it wrote before.
func (k *Keeper) Foresee(server services.Server) {
	values := map[string]string{}
	for name, from := range server.Secrets {
		if from.File == "" {
			continue
		}
		if value, err := read(context.Background(), name, from); err == nil {
			values[name] = value
		}
	}
	k.Learn(server.Name, values)
}

func read(ctx context.Context, name string, from services.Secret) (string, error) {
	about := describe(name, from)
	text, err := readFile(about, from)
	if len(from.Command) > 0 {
		text, err = ask(ctx, about, from)
	}
	if err != nil {
		return "", err
	}
	// As $(command) does it: editors and echo end a file with a newline.
	value := strings.TrimRight(string(text), "\r\n")
	switch {
	case value == "":
		return "", services.Errorf(services.Invalid, "%s is empty", about)
	case strings.ContainsRune(value, 0):
		return "", services.Errorf(services.Invalid, "%s has a NUL byte, which no variable can hold: encode it, for instance with base64", about)
	}
	return value, nil
}

func tooLong(about string) error {
	return services.Errorf(services.Invalid, "%s is longer than %d kB, which a variable should not be: give the server the file's name instead", about, most>>10)
}

// readFile reads a file that nobody else may read. One that others can read
// is refused and not only warned of: who is warned by a line in a log goes on
// with a secret that is none, and one chmod mends it. Where it cannot be
// mended, as with the mounts of a container, `shared: true` says that it is
// meant so. A file that others can write is never taken.
func readFile(about string, from services.Secret) ([]byte, error) {
	if from.File == "" {
		return nil, nil
	}
	f, err := os.OpenFile(from.File, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO would wait for its writer
	if err != nil {
		return nil, services.Errorf(services.Invalid, "%s cannot be read: %v", about, cause(err))
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, services.Errorf(services.Invalid, "%s cannot be examined: %v", about, cause(err))
	case !info.Mode().IsRegular():
		return nil, services.Errorf(services.Invalid, "%s is not a plain file", about)
	case info.Mode().Perm()&0o002 != 0:
		return nil, services.Errorf(services.Invalid, "%s can be written by everybody: chmod o-w %s", about, from.File)
	case info.Mode().Perm()&0o004 != 0 && !from.Shared:
		return nil, services.Errorf(services.Invalid, "%s can be read by everybody, so it is no secret: chmod o-r %s, or say {file: ..., shared: true} where that is meant so", about, from.File)
	}
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	switch {
	case err != nil:
		return nil, services.Errorf(services.Invalid, "%s cannot be read: %v", about, cause(err))
	case len(text) > most:
		return nil, tooLong(about)
	}
	return text, nil
}

// cause strips the path that os errors repeat.
func cause(err error) error {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}

// ask runs a command and returns what it writes. It gets the manager's
// environment, no input, and a process group of its own, which ends with it.
func ask(ctx context.Context, about string, from services.Secret) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, from.Command[0], from.Command[1:]...) //nolint:gosec // the configuration names it
	out, said := &bounded{most: most}, &bounded{most: 4 << 10}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = from.Dir, environ(os.Environ()), out, said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // for whoever left the group and keeps the output open
	err := cmd.Run()
	switch {
	case out.over:
		return nil, tooLong(about)
	case err == nil, errors.Is(err, exec.ErrWaitDelay) && cmd.ProcessState.Success():
		return out.text, nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, services.Errorf(services.Unavailable, "%s has not answered within %v", about, patience)
	case ctx.Err() != nil:
		return nil, services.Errorf(services.Unavailable, "%s was not waited for", about)
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return nil, services.Errorf(services.Unavailable, "%s cannot be run: %v", about, err)
	}
	status, _ := exit.Sys().(syscall.WaitStatus)
	how := services.ExitFromStatus(status, time.Now()).Reason()
	if status.Signaled() {
		how = "was " + how
	}
	sentence := fmt.Sprintf("%s cannot be had: the command %s", about, how)
	if line := lastLine(said.text, out.text); line != "" {
		sentence += ": " + line
	}
	return nil, services.Errorf(services.Unavailable, "%s", sentence)
}

// environ takes out what speaks to the manager alone.
func environ(all []string) []string {
	return slices.DeleteFunc(all, func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return name == "NOTIFY_SOCKET" || strings.HasPrefix(name, "LISTEN_") || strings.HasPrefix(name, "WATCHDOG_") || strings.HasPrefix(name, "TEND_")
	})
}

// lastLine returns the last thing that a command has said, without any word
// that it has also written as the value.
func lastLine(said, value []byte) string {
	const longest = 200
	said = bytes.TrimSpace(said)
	line := strings.ToValidUTF8(string(said[bytes.LastIndexByte(said, '\n')+1:]), "�")
	for _, word := range strings.Fields(string(value)) {
		if len(word) >= least {
			line = strings.ReplaceAll(line, word, Hidden)
		}
	}
	if r := []rune(line); len(r) > longest {
		line = string(r[:longest]) + "…"
	}
	return line
}

// bounded keeps the beginning of what is written. One goroutine writes.
type bounded struct {
	most int
	text []byte
	over bool
}

// Write implements io.Writer. It fails beyond the bound, which ends a command
// that would write for ever.
func (b *bounded) Write(p []byte) (int, error) {
	room := b.most - len(b.text)
	b.text = append(b.text, p[:min(len(p), room)]...)
	if len(p) > room {
		b.over = true
		return room, errors.New("there is more than is wanted")
	}
	return len(p), nil
}
