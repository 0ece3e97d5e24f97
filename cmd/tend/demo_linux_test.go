package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tend/handlers/browsertest"
	"tend/services"
	"tend/services/remote"
)

// booth is where the real demo is shown.
type booth struct {
	*ward
	address string
	tmp     string
}

func newBooth(t *testing.T) *booth {
	t.Helper()
	b := &booth{ward: &ward{t: t}, address: freeAddress(t)}
	var err error
	if b.tmp, err = os.MkdirTemp("", "tend-booth-"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(b.tmp) })
	_, port, _ := net.SplitHostPort(b.address)
	b.dir = filepath.Join(b.tmp, fmt.Sprintf("tend-demo-%d-%s", os.Getuid(), port))
	socket, err := remote.SocketPath(filepath.Join(b.dir, ".tend"))
	if err != nil {
		t.Fatal(err)
	}
	b.client = remote.New(socket)
	t.Cleanup(func() {
		if b.manager != nil {
			b.manager.Process.Signal(syscall.SIGTERM)
			b.manager.Wait()
		}
	})
	return b
}

// demo is the demo, not yet started.
func (b *booth) demo(ctx context.Context) *exec.Cmd {
	cmd := exec.CommandContext(ctx, buildTend(b.t), "demo", "--listen", b.address)
	cmd.Env = append(os.Environ(), "TMPDIR="+b.tmp)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// show starts the demo and waits until its servers run; flaky may be between
// two lives.
func (b *booth) show() map[string]services.Status {
	b.t.Helper()
	b.manager, b.output = b.demo(context.Background()), &said{}
	b.manager.Stdout, b.manager.Stderr = b.output, b.output
	if err := b.manager.Start(); err != nil {
		b.t.Fatal(err)
	}
	out := map[string]services.Status{}
	b.until("the demo's servers run", 20*time.Second, func() string {
		list, err := b.client.List(b.t.Context())
		if err != nil {
			return err.Error() + "\n" + b.output.String()
		}
		for _, s := range list {
			if s.Phase != services.Running && s.Name != "flaky" {
				return s.Name + " is " + string(s.Phase)
			}
			out[s.Name] = s
		}
		return ""
	})
	if len(out) != 6 {
		b.t.Errorf("%d servers, want 6", len(out))
	}
	return out
}

func TestTheDemoKeepsItsServersThroughKillNineAndCleansUp(t *testing.T) {
	b := newBooth(t)
	before := b.show()
	b.kill()
	for name, now := range b.show() {
		if then := before[name]; name != "flaky" && (now.PID != then.PID || !now.Adopted) {
			t.Errorf("%s: pid %d, adopted %v; its pid was %d", name, now.PID, now.Adopted, then.PID)
		}
	}
	b.manager.Process.Signal(os.Interrupt)
	if err := b.manager.Wait(); err != nil {
		t.Errorf("after Ctrl-C: %v\n%s", err, b.output.String())
	}
	b.manager = nil
	if left, _ := os.ReadDir(b.tmp); len(left) > 0 {
		t.Errorf("it leaves %v behind", left)
	}
	for name, s := range before {
		if runs(int(s.PID)) {
			t.Errorf("%s (pid %d) is alive", name, s.PID)
		}
	}
}

func TestADemoOnATakenPortNamesTheHolderAndTheFlagAndLeavesNothing(t *testing.T) {
	b := newBooth(t)
	l, err := net.Listen("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var out bytes.Buffer
	cmd := b.demo(t.Context())
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.Run()
	text := out.String()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(text, fmt.Sprintf("pid %d", os.Getpid())) || !strings.Contains(text, "--listen") || strings.Contains(text, "goroutine") {
		t.Errorf("exit code %d: %s", cmd.ProcessState.ExitCode(), text)
	}
	if strings.Contains(text, "open http") {
		t.Errorf("it invites to what is not there: %s", text)
	}
	if left, _ := os.ReadDir(b.tmp); len(left) > 0 {
		t.Errorf("it leaves %v behind", left)
	}
}

// TestPicturesOfTheDemo also takes the pictures, overview.png is the README's,
// when TEND_PICTURES names a directory.
func TestPicturesOfTheDemo(t *testing.T) {
	browser := browsertest.Start(t)
	b := newBooth(t)
	servers := b.show()
	syscall.Kill(int(servers["flaky"].PID), syscall.SIGSEGV)
	if _, err := b.client.Do(t.Context(), services.Order{Action: services.Stop, Servers: []string{"worker"}}); err != nil {
		t.Fatal(err)
	}
	b.waitFor("worker", services.Stopped)
	for _, look := range []struct {
		name, theme, path string
		width, height     int64
	}{
		{"overview", "light", "/", 1280, 640},
		{"demo-dark", "dark", "/", 1280, 760},
		{"demo-phone", "light", "/", 390, 1400},
		{"demo-server-light", "light", "/servers/chatty", 1280, 900},
		{"demo-server-dark", "dark", "/servers/family", 1280, 900},
	} {
		tab := browser.Open(t, browsertest.Size(look.width, look.height, look.theme))
		tab.Go("http://" + b.address + look.path)
		tab.Wait(`document.querySelector("#link").dataset.link === "open" && !document.body.innerText.includes("checking")`)
		if over := browsertest.Eval[int](tab, `document.documentElement.scrollWidth - document.documentElement.clientWidth`); over > 0 {
			t.Errorf("%s is %d pixels wider than its window", look.name, over)
		}
		if dir := os.Getenv("TEND_PICTURES"); dir != "" {
			if look.path == "/" {
				tab.Wait(`document.querySelectorAll(".row .spark-line").length >= 8`) // two samples of four servers
			}
			tab.Shoot(filepath.Join(dir, look.name+".png"))
		}
		tab.MustBeClean()
	}
}
