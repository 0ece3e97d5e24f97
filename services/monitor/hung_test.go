package monitor

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestAServerThatAcceptsNothingIsHungThoughItsPortTakesConnections(t *testing.T) {
	if !listListening(map[int]listener{}) {
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
	if !listListening(map[int]listener{}) {
		t.Skip("this system has no list of its sockets")
	}
	synctest.Test(t, func(t *testing.T) {
		port, _ := listen(t, "tcp", "127.0.0.1:0")
		h := build(t, time.Second, Target{Server: "a", Run: "r", Alive: true, Port: port})
		h.o.Halted = func(run string) bool { return run == "r" }
		h.run()
		got := h.after(2 * time.Second)
		if said := h.say(got[len(got)-1]); said != "2s a/r false it is halted (SIGSTOP): SIGCONT lets it go on" {
			t.Error(said)
		}
		h.stop()
	})
}

func TestAPortIsAServersOwnOnlyIfItHasTheSocket(t *testing.T) {
	if !listListening(map[int]listener{}) {
		t.Skip("this system has no list of its sockets")
	}
	synctest.Test(t, func(t *testing.T) {
		port, _ := listen(t, "tcp", "127.0.0.1:0")
		h := build(t, time.Second, Target{Server: "a", Run: "r", Alive: true, Port: port})
		asked := 0
		var sockets []uint32
		h.o.Owned = func(run string, inodes []uint32) bool {
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
