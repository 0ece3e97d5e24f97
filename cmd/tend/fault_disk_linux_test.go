package main

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

// fill writes until nothing more fits, and goes on with that, for others give
// space back now and then. It returns the way to make room again.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	f, err := os.Create(filepath.Join(dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	most := func() (err error) {
		for block := make([]byte, 1<<20); len(block) > 0; {
			if _, err = f.Write(block); err != nil {
				block = block[:len(block)/2]
			}
		}
		return err
	}
	if err := most(); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	enough := make(chan struct{})
	var filling sync.WaitGroup
	filling.Go(func() {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				most() //nolint:errcheck // it is full mostly
			case <-enough:
				return
			}
		}
	})
	free = sync.OnceFunc(func() {
		close(enough)
		filling.Wait()
		f.Close()
		if err := os.Remove(f.Name()); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(free)
	return free
}

func TestAFullDiskStopsNoServerAndStateAndHistoryCatchUp(t *testing.T) {
	atOnce(t)
	disk := smallDisk(t, 16)
	w := newWard(t, 0, nil)
	w.moveData(disk)
	w.tickers("", "crashed", "stopped", "steady")
	w.open()
	w.allRun("crashed", "stopped", "steady")
	heard := w.listen()
	steady := map[string]int{"steady": int(w.status("steady").PID)}
	log := filepath.Join(disk, "logs", "steady.log")

	free := fill(t, disk)
	w.hears(heard, services.EventDisk, "what servers write will be lost")
	before := int(w.status("crashed").PID)
	syscall.Kill(before, syscall.SIGKILL)
	after := w.replaced("crashed", before)
	w.do(services.Stop, "stopped")
	w.waitFor("stopped", services.Stopped)
	w.hears(heard, services.EventHistory, "cannot be written")
	w.samePIDs(steady)

	free()
	w.hears(heard, services.EventHistory, "written again")
	w.hears(heard, services.EventDisk, "has room again")
	w.grows(log)
	w.until("history tells of the crash that happened meanwhile", 30*time.Second, func() string {
		for e, err := range w.client.Events(t.Context(), url.Values{"server": {"crashed"}, "kind": {"exited"}}) {
			if err != nil {
				return err.Error()
			}
			if e.Crash && strings.Contains(e.Message, "SIGKILL") {
				return ""
			}
		}
		return "not yet"
	})

	w.kill()
	w.open()
	w.samePIDs(steady)
	w.samePIDs(map[string]int{"crashed": int(after.PID)})
	if s := w.status("stopped"); s.Phase != services.Stopped || s.Want != services.Down {
		t.Errorf("it is %s and wanted %s", s.Phase, s.Want)
	}
}

func TestAManagerThatIsKilledOnAFullDiskFindsItsServersAndTheirWants(t *testing.T) {
	atOnce(t)
	disk := smallDisk(t, 16)
	w := newWard(t, 0, nil)
	w.moveData(disk)
	w.tickers("", "stopped", "steady")
	w.open()
	w.allRun("stopped", "steady")
	fill(t, disk)
	w.do(services.Stop, "stopped")
	w.waitFor("stopped", services.Stopped)
	before := w.pidsNow()
	w.kill()
	w.open() // the disk is as full as before
	w.samePIDs(before)
	if s := w.status("stopped"); s.Phase != services.Stopped || s.Want != services.Down {
		t.Errorf("it is %s and wanted %s", s.Phase, s.Want)
	}
}

func TestAManagerDoesNotBeginOnADataDirectoryThatIsReadOnly(t *testing.T) {
	atOnce(t)
	disk := smallDisk(t, 4)
	w := newWard(t, 0, nil)
	w.configure("servers:\n  a: {command: [sleep, '1000']}\n")
	for _, used := range []bool{false, true} {
		if used {
			w.moveData(disk)
			w.open()
			w.waitFor("a", services.Running)
			w.manager.Process.Signal(syscall.SIGTERM)
			w.ended()
		}
		readOnly(t, disk)
		code, _, errs := w.tend("serve", "--data", disk)
		if code != 1 || !strings.Contains(errs, disk) || !strings.Contains(errs, "read-only") || !strings.Contains(errs, "--data") || strings.Contains(errs, "goroutine") {
			t.Errorf("used before %v: %d %s", used, code, errs)
		}
		unmount(t, disk) // what made it read-only
	}
	w.over = true
}

// readOnly lets nobody open a file of the directory for writing any more; who
// has one open goes on. Unmounting the directory ends that.
func readOnly(t *testing.T, dir string) {
	t.Helper()
	if err := syscall.Mount(dir, dir, "", syscall.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("", dir, "", syscall.MS_REMOUNT|syscall.MS_BIND|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
}

func TestADataDirectoryThatBecomesReadOnlyUnderAManagerStopsNobody(t *testing.T) {
	atOnce(t)
	disk := smallDisk(t, 16)
	w := newWard(t, 0, nil)
	w.moveData(disk)
	w.tickers("", "crashed", "stopped", "steady")
	w.open()
	w.allRun("crashed", "stopped", "steady")
	heard := w.listen()
	steady := map[string]int{"steady": int(w.status("steady").PID)}

	readOnly(t, disk)
	w.do(services.Stop, "stopped")
	w.waitFor("stopped", services.Stopped)
	w.hears(heard, services.EventState, "read-only")
	before := int(w.status("crashed").PID)
	syscall.Kill(before, syscall.SIGKILL)
	w.until("the start that has no log says why, and is tried again", 10*time.Second, func() string {
		if s := w.status("crashed"); s.Phase != services.BackOff || !strings.Contains(s.Why, "read-only") {
			return string(s.Phase) + ": " + s.Why
		}
		return ""
	})
	w.samePIDs(steady)

	unmount(t, disk)
	steady["crashed"] = int(w.replaced("crashed", before).PID)
	w.hears(heard, services.EventState, "written again")
	w.kill()
	w.open()
	w.samePIDs(steady)
	if s := w.status("stopped"); s.Phase != services.Stopped || s.Want != services.Down {
		t.Errorf("it is %s and wanted %s", s.Phase, s.Want)
	}
}

func TestADiskThatBreaksUnderAManagerStopsNobody(t *testing.T) {
	atOnce(t)
	disk, breakIt := breakableDisk(t)
	w := newWard(t, 0, nil)
	w.moveData(filepath.Join(disk, "data"))
	w.tickers("", "stopped", "steady")
	w.open()
	w.allRun("stopped", "steady")
	heard := w.listen()
	steady := map[string]int{"steady": int(w.status("steady").PID)}

	breakIt()
	w.do(services.Stop, "stopped")
	w.waitFor("stopped", services.Stopped)
	w.hears(heard, services.EventState, "cannot be written")
	w.samePIDs(steady)

	w.manager.Process.Signal(syscall.SIGTERM)
	w.manager.Wait() // that it could not write its last state is an error
	w.over = true
	if runs(steady["steady"]) {
		t.Error("a server is alive after the orderly end")
	}
	if said := w.output.String(); !strings.Contains(said, "the last state is not written") {
		t.Errorf("it said %s", said)
	}
}
