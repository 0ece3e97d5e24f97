package monitor

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
)

func skipWithoutSockets(t *testing.T) {
	t.Helper()
	if !listListening(map[int]listener{}) {
		t.Skip("this system has no list of its sockets")
	}
}

func TestATCPCheckFindsAServerHungThatAcceptsNothing(t *testing.T) {
	skipWithoutSockets(t)
	port, _ := listen(t, "tcp", "127.0.0.1:0") // accepts nothing
	c := &tcpCheck{address: fmt.Sprintf("localhost:%d", port)}
	var err error
	for range stuck + 1 {
		if err != nil {
			t.Errorf("hung too soon: %v", err)
		}
		err = c.try(t.Context())
	}
	if want := fmt.Sprintf("port %d takes connections, but it has accepted none of %d that wait", port, stuck); err == nil || err.Error() != want {
		t.Errorf("said %v, want %s", err, want)
	}
}

func TestATCPCheckFindsAServerHungThatIsHalted(t *testing.T) {
	skipWithoutSockets(t)
	port, _ := listen(t, "tcp", "127.0.0.1:0")
	c := &tcpCheck{address: fmt.Sprintf("127.0.0.1:%d", port), eyes: Eyes{Halted: func(string) bool { return true }}}
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
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Skip(err)
		}
		defer l.Close()
		port := l.Addr().(*net.TCPAddr).Port
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				c.Close()
			}
		}()
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

func TestNobodyListensAtAnAddressThatIsFree(t *testing.T) {
	skipWithoutSockets(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().(*net.TCPAddr).AddrPort()
	if found, known := listenerAt(at); !known || found.mark == 0 || found.waiting != 0 {
		t.Errorf("%+v, known %v", found, known)
	}
	if found, known := listenerAt(netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), at.Port())); !known || found.mark != 0 {
		t.Errorf("at another address: %+v, known %v", found, known)
	}
	l.Close()
	if found, known := listenerAt(at); !known || found.mark != 0 {
		t.Errorf("when it is free: %+v, known %v", found, known)
	}
}
