package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

func TestAServerThatIsHaltedIsShownAsHungAndIsWellAgainAfterwards(t *testing.T) {
	atOnce(t)
	w := newWard(t, 0, nil)
	address := freeAddress(t)
	_, port, _ := strings.Cut(address, ":")
	w.serverOnPort("monitor: {interval: 100ms}\n", "hung", address, port, "")
	w.open()
	healthy := func(want bool) {
		t.Helper()
		w.until(fmt.Sprintf("healthy is %v", want), 15*time.Second, func() string {
			if s := w.status("hung"); s.Phase != services.Running || s.Healthy == nil || *s.Healthy != want {
				return fmt.Sprintf("%s, healthy %v: %s", s.Phase, s.Healthy, s.Why)
			}
			return ""
		})
	}
	healthy(true)
	pid := int(w.status("hung").PID)
	syscall.Kill(pid, syscall.SIGSTOP)
	healthy(false)
	if s := w.status("hung"); !strings.Contains(s.Why, "SIGSTOP") || int(s.PID) != pid {
		t.Errorf("pid %d, before %d: %s", s.PID, pid, s.Why)
	}
	syscall.Kill(pid, syscall.SIGCONT)
	healthy(true)

	// Halted, it cannot obey SIGTERM; the grace period bounds the stop.
	syscall.Kill(pid, syscall.SIGSTOP)
	w.do(services.Stop, "hung")
	w.waitFor("hung", services.Stopped)
	if runs(pid) {
		t.Error("it is alive after the stop")
	}
}

// serverOnPort configures a server that listens and gives signs of life.
func (w *ward) serverOnPort(head, name, address, port, more string) {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	w.configure(head + fmt.Sprintf(
		"servers:\n  %s: {command: [%q, be, notifier, %q], port: %s, ready: {notify: true}, watchdog: 1s, stop: {timeout: 3s}%s}\n",
		name, self, address, port, more))
}

// halted waits until a process is stopped, or goes on again.
func (w *ward) halted(pid int, want bool) {
	w.t.Helper()
	w.until(fmt.Sprintf("pid %d is halted: %v", pid, want), 5*time.Second, func() string {
		stat, _ := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
		if strings.Contains(string(stat), ") T ") != want {
			return string(stat)
		}
		return ""
	})
}

// haltManager stops the manager itself, until goOn or the end of the test.
func (w *ward) haltManager() (goOn func()) {
	w.t.Helper()
	pid := w.manager.Process.Pid
	goOn = func() { syscall.Kill(pid, syscall.SIGCONT) }
	w.t.Cleanup(goOn) // before the ward ends it
	syscall.Kill(pid, syscall.SIGSTOP)
	w.halted(pid, true)
	return goOn
}

// TestAManagerThatWasHaltedKillsNoHealthyServer: when it went on, it found the
// time of the watchdog over before it had read what the server had said
// meanwhile, and a probe of its own that had taken too long.
func TestAManagerThatWasHaltedKillsNoHealthyServer(t *testing.T) {
	atOnce(t)
	w := newWard(t, 0, nil)
	address := freeAddress(t)
	_, port, _ := strings.Cut(address, ":")
	w.serverOnPort("monitor: {interval: 100ms}\n", "a", address, port,
		fmt.Sprintf(", live: {tcp: %q, interval: 50ms, timeout: 400ms, failures: 2, action: restart}", address))
	w.open()
	before := w.waitFor("a", services.Running)
	for round := range 3 {
		goOn := w.haltManager()
		<-time.After(time.Duration(850+150*round) * time.Millisecond) // around the time of the watchdog
		if !runs(int(before.PID)) {
			t.Fatal("the server has ended with the manager halted")
		}
		goOn()
		w.until("it is well again", 5*time.Second, func() string {
			if s := w.status("a"); s.Phase == services.Running && s.Healthy != nil && *s.Healthy {
				return ""
			}
			return "not yet"
		})
		<-time.After(100 * time.Millisecond)
	}
	if s := w.status("a"); s.PID != before.PID || s.Restarts != 0 {
		t.Errorf("pid %d, before %d, after %d restarts: %s", s.PID, before.PID, s.Restarts, s.Why)
	}
}

func TestWhatHappensWhileTheManagerIsHaltedIsMadeUpFor(t *testing.T) {
	atOnce(t)
	w := newWard(t, 0, nil)
	w.tickers("", "crashed", "steady")
	w.open()
	w.allRun("crashed", "steady")
	steady := map[string]int{"steady": int(w.status("steady").PID)}
	crashed := int(w.status("crashed").PID)
	log := filepath.Join(w.dir, ".tend", "logs", "steady.log")
	goOn := w.haltManager()
	syscall.Kill(crashed, syscall.SIGKILL)
	w.grows(log) // nobody waits for the manager
	goOn()
	after := w.replaced("crashed", crashed)
	if after.Exit == nil || after.Exit.Signal != syscall.SIGKILL || !after.Exit.Seen || after.Restarts != 1 {
		t.Errorf("exit %+v after %d restarts", after.Exit, after.Restarts)
	}
	w.samePIDs(steady)
}
