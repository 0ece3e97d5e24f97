package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"tend/services"
)

// probeOutput is how much of a probe's output is kept, its end.
const probeOutput = 4 << 10

// Probe runs a program as a server would be run (its directory, environment
// and user) until it ends or ctx does, which ends it and its process group. It
// returns nil for exit code 0, and otherwise how it ended, with the last line
// that it has written. Its processes are not the server's.
func (h *Host) Probe(ctx context.Context, s services.Server, argv []string) error {
	who, err := identityOf(s.User)
	if err != nil {
		return err
	}
	env, err := environ(s, h.secrets(s.Name), who, h.instance, "")
	if err != nil {
		return err
	}
	env = slices.DeleteFunc(env, func(entry string) bool { return strings.HasPrefix(entry, markRun+"=") })
	program, err := lookup(argv[0], s.Dir, env)
	if err != nil {
		return err
	}
	out := &tail{most: probeOutput}
	cmd := exec.CommandContext(ctx, program)
	cmd.Args, cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = argv, env, s.Dir, out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: who.credential()}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // for whoever left the group and keeps the output open
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil, errors.Is(err, exec.ErrWaitDelay) && cmd.ProcessState.Success():
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit):
		status, _ := exit.Sys().(syscall.WaitStatus)
		reason := services.ExitFromStatus(status, time.Now()).Reason()
		if line := h.hide(out.lastLine()); line != "" {
			return fmt.Errorf("%s %s: %s", argv[0], reason, line)
		}
		return fmt.Errorf("%s %s", argv[0], reason)
	}
	return fmt.Errorf("%s: %w", argv[0], err)
}

// tail keeps the end of what is written. One goroutine writes.
type tail struct {
	most int
	text []byte
}

// Write implements io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p[max(0, len(p)-t.most):]...)
	if over := len(t.text) - t.most; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

func (t *tail) lastLine() string {
	text := bytes.TrimSpace(t.text)
	return strings.ToValidUTF8(string(text[bytes.LastIndexByte(text, '\n')+1:]), "�")
}
