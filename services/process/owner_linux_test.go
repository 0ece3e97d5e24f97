package process

import (
	"net"
	"net/netip"
	"os"
	"runtime"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

const nobody = 65534

// dialAs connects as another user. The kernel takes the user of a socket from
// the thread that makes it.
func dialAs(t *testing.T, uid int, family int, to unix.Sockaddr) (fd int) {
	t.Helper()
	made := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and ends with this goroutine
		if uid != os.Geteuid() {
			if _, err := unix.SetfsuidRetUid(uid); err != nil {
				made <- err
				return
			}
		}
		var err error
		if fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err == nil {
			err = unix.Connect(fd, to)
		}
		made <- err
	}()
	if err := <-made; err != nil {
		t.Fatal(err)
	}
	return fd
}

// meeting is two ends of a connection over loopback.
type meeting struct {
	*net.TCPConn     // of the server
	client       int // descriptor
}

func meet(t *testing.T, uid int, mapped bool, address string) meeting {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skip(err)
	}
	defer l.Close()
	at := l.Addr().(*net.TCPAddr)
	family, to := unix.AF_INET6, unix.Sockaddr(&unix.SockaddrInet6{Port: at.Port, Addr: at.AddrPort().Addr().As16()})
	if at.IP.To4() != nil && !mapped {
		family, to = unix.AF_INET, &unix.SockaddrInet4{Port: at.Port, Addr: at.AddrPort().Addr().Unmap().As4()}
	}
	m := meeting{client: dialAs(t, uid, family, to)}
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	m.TCPConn = conn.(*net.TCPConn)
	t.Cleanup(func() { m.Close() })
	return m
}

// waysToAsk are both of them.
var waysToAsk = map[string]func(client, server netip.AddrPort) (clientSocket, bool){
	"by netlink": func(client, server netip.AddrPort) (clientSocket, bool) {
		s, found, told := askOwner(client, server)
		return s, found && told
	},
	"by /proc": readOwner,
}

func (m meeting) addresses() (client, server netip.AddrPort) {
	return m.RemoteAddr().(*net.TCPAddr).AddrPort(), m.LocalAddr().(*net.TCPAddr).AddrPort()
}

func TestTheKernelTellsWhoseTheOtherEndIs(t *testing.T) {
	users := []int{os.Geteuid()}
	if os.Geteuid() == 0 {
		users = append(users, nobody, 12345)
	}
	for name, c := range map[string]struct {
		address string
		mapped  bool
	}{
		"IPv4": {"127.0.0.1:0", false}, "another loopback address": {"127.8.9.10:0", false}, "IPv6": {"[::1]:0", false},
		"IPv4 by a socket of IPv6": {"127.0.0.1:0", true}, "a listener of both": {"[::]:0", false},
	} {
		for _, uid := range users {
			m := meet(t, uid, c.mapped, c.address)
			if got, known := SocketOwner(m.TCPConn); !known || got != uint32(uid) {
				t.Errorf("%s as %d: uid %d, known %v", name, uid, got, known)
			}
			for way, owner := range waysToAsk {
				if s, found := owner(m.addresses()); !found || s.uid != uint32(uid) || !s.live() {
					t.Errorf("%s as %d %s: %+v, found %v", name, uid, way, s, found)
				}
			}
			unix.Close(m.client)
		}
	}
}

// A client that has connected, sent and closed leaves a row with uid 0 behind:
// taken at its word, everybody would be root.
func TestAClientThatClosesAtOnceIsNobody(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	for name, end := range map[string]func(fd int) error{
		"closes":           unix.Close,
		"ends its sending": func(fd int) error { return unix.Shutdown(fd, unix.SHUT_WR) },
		"cuts it off": func(fd int) error {
			if err := unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}); err != nil {
				return err
			}
			return unix.Close(fd)
		},
	} {
		for _, mapped := range []bool{false, true} {
			m := meet(t, nobody, mapped, "127.0.0.1:0")
			if _, err := unix.Write(m.client, []byte("POST /api/shutdown HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
				t.Fatal(err)
			}
			if err := end(m.client); err != nil {
				t.Fatal(err)
			}
			if uid, known := SocketOwner(m.TCPConn); known {
				t.Errorf("%s: it counts as uid %d", name, uid)
			}
			for way, owner := range waysToAsk {
				if s, found := owner(m.addresses()); found && s.live() {
					t.Errorf("%s %s: %+v counts as live", name, way, s)
				}
			}
		}
	}
}

func TestASocketIsFoundByAllOfItsAddresses(t *testing.T) {
	m := meet(t, os.Geteuid(), false, "127.0.0.1:0")
	defer unix.Close(m.client)
	client, server := m.addresses()
	other := netip.AddrPortFrom(client.Addr(), client.Port()^1)
	for way, owner := range waysToAsk {
		for name, pair := range map[string][2]netip.AddrPort{
			"another port of the client": {other, server}, "another port of the server": {client, netip.AddrPortFrom(server.Addr(), server.Port()^1)},
			"another address": {netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), client.Port()), server},
		} {
			if s, found := owner(pair[0], pair[1]); found && s.live() {
				t.Errorf("%s %s: %+v", name, way, s)
			}
		}
		// The other way round it is our own end.
		if s, found := owner(server, client); !found || !s.live() {
			t.Errorf("%s our own end: %+v, %v", way, s, found)
		}
	}
}

func TestAddressesAreReadAsTheKernelWritesThem(t *testing.T) {
	little := strconv.IntSize == 64 && (runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64")
	for text, want := range map[string]string{
		"0100007F:0BB8": "127.0.0.1:3000", "0000000000000000FFFF00000100007F:0BB8": "127.0.0.1:3000",
		"00000000000000000000000001000000:0050": "[::1]:80", "": "", "0100007F": "", "0100007:0BB8": "", "xx00007F:0BB8": "", "0100007F:1FFFF": "",
	} {
		a, ok := procAddress([]byte(text))
		if !little && want != "" {
			continue
		}
		if ok != (want != "") || ok && a.String() != want {
			t.Errorf("%q is read as %v, %v, want %q", text, a, ok, want)
		}
	}
}
