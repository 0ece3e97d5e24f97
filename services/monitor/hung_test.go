package monitor

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAServerThatAcceptsNothingIsHungThoughItsPortTakesConnections(t *testing.T) {
	if !listListening(map[int]*listener{}) {
		t.Skip("this system has no list of its sockets")
	}
	synctest.Test(t, func(t *testing.T) {
		port, _ := listen(t, "tcp", "127.0.0.1:0") // accepts nothing
		h := open(t, time.Second, Target{Server: "a", Run: "r", Alive: true, Port: port})
		got := h.after(5 * time.Second)
		said := h.say(got[len(got)-1])
		if want := fmt.Sprintf("5s a/r false port %d takes connections, but it has accepted none of 5 that wait", port); said != want {
			t.Errorf("got %s, want %s", said, want)
		}
		if first := h.say(got[0]); first != "0s a/r true" {
			t.Errorf("at first %s", first)
		}
		h.stop()
	})
}

func TestAServerThatIsHaltedIsHungAtOnce(t *testing.T) {
	if !listListening(map[int]*listener{}) {
		t.Skip("this system has no list of its sockets")
	}
	synctest.Test(t, func(t *testing.T) {
		port, _ := listen(t, "tcp", "127.0.0.1:0")
		h := build(t, time.Second, Target{Server: "a", Run: "r", Alive: true, Port: port})
		h.o.Eyes.Halted = func(runs ...string) []string {
			return slices.DeleteFunc(runs, func(run string) bool { return run != "r" })
		}
		h.run()
		got := h.after(2 * time.Second)
		if said := h.say(got[len(got)-1]); said != "2s a/r false it is halted (SIGSTOP): SIGCONT lets it go on" {
			t.Error(said)
		}
		h.stop()
	})
}

func TestAPortIsAServersOwnOnlyIfItHasTheSocket(t *testing.T) {
	if !listListening(map[int]*listener{}) {
		t.Skip("this system has no list of its sockets")
	}
	synctest.Test(t, func(t *testing.T) {
		port, _ := listen(t, "tcp", "127.0.0.1:0")
		h := build(t, time.Second, Target{Server: "a", Run: "r", Alive: true, Port: port})
		asked := 0
		var sockets []uint32
		h.o.Eyes.Owned = func(run string, inodes []uint32) bool {
			asked++
			sockets = slices.Clone(inodes)
			return false
		}
		h.run()
		got := h.after(2 * time.Second)
		for _, r := range got {
			if want := fmt.Sprintf("port %d is not its own: another process listens there", port); r.Healthy == nil || *r.Healthy || r.Why != want {
				t.Errorf("got %s", h.say(r))
			}
		}
		if asked != 1 || len(sockets) != 1 || sockets[0] == 0 {
			t.Errorf("asked %d times about %v", asked, sockets)
		}
		h.stop()
	})
}

func TestAServerWithoutAPortThatIsHaltedIsFoundSoAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, time.Second, Target{Server: "a", Run: "r", Alive: true}, Target{Server: "b", Run: "s", Alive: true})
		var halted atomic.Bool
		var looks atomic.Int32
		h.o.Eyes.Halted = func(runs ...string) []string {
			looks.Add(int32(len(runs)))
			return slices.DeleteFunc(runs, func(run string) bool { return run != "r" || !halted.Load() })
		}
		h.run()
		h.after(30 * time.Second)
		if looks := looks.Load(); looks > 6 {
			t.Errorf("%d looks at two servers in 30 s", looks)
		}
		halted.Store(true)
		got := h.after(16 * time.Second)
		if said := h.say(got[len(got)-2]); !strings.HasSuffix(said, "a/r false "+halt) {
			t.Errorf("got %s", said)
		}
		if said := h.say(got[len(got)-1]); !strings.HasSuffix(said, "b/s true") {
			t.Errorf("got %s", said)
		}
		halted.Store(false)
		got = h.after(2 * time.Second)
		if said := h.say(got[len(got)-2]); !strings.HasSuffix(said, "a/r true") {
			t.Errorf("once it goes on: %s", said)
		}
		h.stop()
	})
}

func TestWhatHoldsOfServersWithoutAPortIsNotReportedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, time.Second, Target{Server: "a", Run: "r", Alive: true}, Target{Server: "p", Port: 5432})
		var changes atomic.Uint64
		var halted atomic.Bool
		var looked []time.Duration
		h.o.Changes = changes.Load
		h.o.Looked = func(at time.Time) { h.set(func() { looked = append(looked, at.Sub(h.epoch)) }) }
		h.o.Eyes.Halted = func(runs ...string) []string {
			if !halted.Load() {
				return nil
			}
			return runs
		}
		h.run()
		h.want(h.after(2500*time.Millisecond), "0s a/r true", "0s p/ nil", "1s p/ nil", "2s p/ nil")
		if want := []time.Duration{time.Second, 2 * time.Second}; !slices.Equal(looked, want) {
			t.Errorf("looked at %v, want %v", looked, want)
		}
		if looks := h.looks(); looks != 1 {
			t.Errorf("asked for the targets %d times", looks)
		}

		h.set(func() { h.targets = append(h.targets, Target{Server: "b"}) })
		changes.Add(1)
		h.want(h.after(time.Second), "3s a/r true", "3s b/ nil", "3s p/ nil")

		halted.Store(true)
		h.after(16 * time.Second)
		halted.Store(false)
		h.set(func() { looked = nil })
		h.want(h.after(2*time.Second), "20s a/r true", "20s b/ nil", "20s p/ nil", "21s p/ nil")
		if want := []time.Duration{21 * time.Second}; !slices.Equal(looked, want) {
			t.Errorf("after one was halted: looked at %v, want %v", looked, want)
		}
		h.stop()
	})
}
