package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"tend/services"
)

func TestWithoutControllersAServerHasTheLimitsThatAProcessCanHave(t *testing.T) {
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "limited", without)
		s := self("inside")
		s.Limits = services.Limits{Memory: 600_000_000, CPU: 150, PIDs: 99, NoFile: 512, Nice: 7}
		p := b.start(s)
		wait(t, "the exit", p.Exited())
		v := b.seen()
		if v.NoFile != 512 || v.Nice != 7 {
			t.Errorf("nofile %d, nice %d", v.NoFile, v.Nice)
		}
		text := b.Host.Limits(s, p.Run())
		in := limitsIn(p.Run().Cgroup)
		if !in.memory && v.Data != 600_000_000>>10<<10 {
			t.Errorf("no limit of memory is in force: %d bytes of data, %s", v.Data, text)
		}
		for _, part := range []string{"memory 600 MB of ", "512 open files by rlimit", "nice 7"} {
			if !strings.Contains(text, part) {
				t.Errorf("%q does not say %q", text, part)
			}
		}
		if !in.cpu && !strings.Contains(text, "cpu 150 % not in force") || !in.pids && !strings.Contains(text, "99 processes not in force") {
			t.Errorf("%q does not say what is not in force", text)
		}
	})
}

func TestLimitsAreWrittenWhereACgroupHasTheFilesForThem(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"memory.max", "memory.high", "cpu.max", "pids.max"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("max\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if in := limitsIn(dir); in != (limited{}) {
		t.Errorf("before: %+v", in)
	}
	l := services.Limits{Memory: 500_000_000, CPU: 150, PIDs: 99}
	if in := limit(dir, l); in != (limited{true, true, true}) || limitsIn(dir) != in {
		t.Errorf("in force: %+v, read %+v", in, limitsIn(dir))
	}
	for name, want := range map[string]string{"memory.max": "500000000", "memory.high": "450000000", "cpu.max": "150000 100000", "pids.max": "99\n"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.HasPrefix(string(text), strings.TrimSpace(want)) {
			t.Errorf("%s holds %q, %v", name, text, err)
		}
	}
	if got := inForce(l, limited{true, true, true}); got != "memory 500 MB of the tree by cgroup, cpu 150 % by cgroup, 99 processes by cgroup" {
		t.Error(got)
	}
	if in := limit(t.TempDir(), l); in != (limited{}) {
		t.Errorf("without files: %+v", in)
	}
}

func TestAnEndForLackOfMemoryIsNamed(t *testing.T) {
	const memory = "/sys/fs/cgroup/memory"
	if _, err := os.Stat(memory + "/memory.limit_in_bytes"); err != nil || os.Geteuid() != 0 {
		t.Skip("this needs root and a memory controller to run out of memory in")
	}
	box := filepath.Join(memory, fmt.Sprintf("tend-test-%d", os.Getpid()))
	if err := os.Mkdir(box, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(box) })
	if err := writeFile(filepath.Join(box, "memory.limit_in_bytes"), "30000000"); err != nil {
		t.Fatal(err)
	}
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "hungry", without)
		s := self("obedient")
		s.Command = services.Command{Shell: fmt.Sprintf("echo $$ > %s/cgroup.procs; exec tail /dev/zero", box)}
		p := b.start(s)
		wait(t, "the exit", p.Exited())
		if e := p.Exit(); e.Signal != syscall.SIGKILL || !p.OutOfMemory() {
			t.Errorf("exit %+v", e)
		}
	})
	t.Run("a kill by somebody else", func(t *testing.T) {
		b := open(t, "killed", Without{})
		p := b.start(self("obedient"))
		b.says("ready")
		syscall.Kill(p.Run().Leader.PID, syscall.SIGKILL)
		wait(t, "the exit", p.Exited())
		if e := p.Exit(); e.Signal != syscall.SIGKILL || p.OutOfMemory() {
			t.Errorf("exit %+v", e)
		}
	})
}
