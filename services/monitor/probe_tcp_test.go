package monitor

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func skipWithoutSockets(t *testing.T) {
	t.Helper()
	if !listListening(map[int]*listener{}) {
		t.Skip("this system has no list of its sockets")
	}
}

func TestATCPCheckFindsAServerHungThatAcceptsNothing(t *testing.T) {
	skipWithoutSockets(t)
	synctest.Test(t, func(t *testing.T) {
		port, _ := listen(t, "tcp", "127.0.0.1:0") // accepts nothing
		// No name here: what package net makes for its first lookup would
		// belong to this bubble, and the next lookup outside of it would die.
		c := &tcpCheck{address: fmt.Sprintf("127.0.0.1:%d", port)}
		for range stuck {
			if err := c.try(t.Context()); err != nil {
				t.Errorf("hung too soon: %v", err)
			}
			time.Sleep(time.Second)
		}
		want := fmt.Sprintf("port %d takes connections, but it has accepted none for 3s: %d wait", port, stuck+1)
		if err := c.try(t.Context()); err == nil || err.Error() != want {
			t.Errorf("said %v, want %s", err, want)
		}
	})
}

func TestATCPCheckLeavesABusyServerItsTime(t *testing.T) {
	skipWithoutSockets(t)
	synctest.Test(t, func(t *testing.T) {
		port, _ := listen(t, "tcp", "127.0.0.1:0")
		c := &tcpCheck{address: fmt.Sprintf("127.0.0.1:%d", port)}
		for range 20 {
			if err := c.try(t.Context()); err != nil {
				t.Errorf("hung after 20 checks in a second: %v", err)
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
}

func TestATCPCheckOfAServerWithMoreToDoThanItCanStaysWell(t *testing.T) {
	skipWithoutSockets(t)
	synctest.Test(t, func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		address := l.Addr().String()
		var crowd []net.Conn // which always waits
		defer func() {
			for _, c := range crowd {
				c.Close()
			}
		}()
		come := func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			crowd = append(crowd, c)
		}
		c := &tcpCheck{address: address}
		for range 8 {
			come()
		}
		for range 10 {
			if err := c.try(t.Context()); err != nil {
				t.Error(err)
			}
			for range 5 { // it serves some of those that wait, and as many come again
				served, err := l.Accept()
				if err != nil {
					t.Fatal(err)
				}
				served.Close()
			}
			for range 4 {
				come()
			}
			time.Sleep(time.Second)
		}
	})
}

func TestATCPCheckFindsAServerHungThatIsHalted(t *testing.T) {
	skipWithoutSockets(t)
	port, _ := listen(t, "tcp", "127.0.0.1:0")
	c := &tcpCheck{address: fmt.Sprintf("127.0.0.1:%d", port), eyes: Eyes{Halted: func(runs ...string) []string { return runs }}}
	if err := c.try(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := c.try(t.Context()); err == nil || err.Error() != halt {
		t.Errorf("said %v", err)
	}
}

func TestATCPCheckOfAServerThatAcceptsStaysWell(t *testing.T) {
	skipWithoutSockets(t)
	for _, address := range []string{"127.0.0.1:0", "[::]:0"} {
		port := accepting(t, address).Port
		owned := 0
		c := &tcpCheck{address: fmt.Sprintf("127.0.0.1:%d", port), eyes: Eyes{Owned: func(string, []uint32) bool { owned++; return true }}}
		for range 20 {
			if err := c.try(t.Context()); err != nil {
				t.Errorf("%s: %v", address, err)
			}
		}
		if owned != 1 {
			t.Errorf("%s: asked %d times whose the socket is", address, owned)
		}
	}
}

func TestATCPCheckDoesNotTakeTheListenerOfSomebodyElseForItsOwn(t *testing.T) {
	skipWithoutSockets(t)
	port, _ := listen(t, "tcp", "127.0.0.1:0")
	c := &tcpCheck{address: fmt.Sprintf("127.0.0.1:%d", port), eyes: Eyes{Owned: func(_ string, inodes []uint32) bool {
		return len(inodes) != 1 || inodes[0] == 0
	}}}
	if err := c.try(t.Context()); err == nil || !strings.Contains(err.Error(), "is not its own") {
		t.Errorf("said %v", err)
	}
}

func TestOnlyAConnectionThatNobodyHasAcceptedWaits(t *testing.T) {
	skipWithoutSockets(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	here, from := ends(c)
	if s, known := socketAt(here, from); !known || s == nil || !s.waits() {
		t.Errorf("before it is accepted: %+v, known %v", s, known)
	}
	served, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if s, known := socketAt(here, from); !known || s == nil || s.waits() {
		t.Errorf("once it is accepted: %+v, known %v", s, known)
	}
	served.Close()
	c.Close()
}

func TestNobodyListensAtAnAddressThatIsFree(t *testing.T) {
	skipWithoutSockets(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().(*net.TCPAddr).AddrPort()
	if found, known := socketAt(at, netip.AddrPort{}); !known || found == nil || !found.listens() || found.inode == 0 || found.waiting != 0 {
		t.Errorf("%+v, known %v", found, known)
	}
	if found, known := socketAt(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), at.Port()), netip.AddrPort{}); !known || found != nil {
		t.Errorf("at another address: %+v, known %v", found, known)
	}
	l.Close()
	if found, known := socketAt(at, netip.AddrPort{}); !known || found != nil {
		t.Errorf("when it is free: %+v, known %v", found, known)
	}
}
