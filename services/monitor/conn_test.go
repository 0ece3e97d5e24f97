package monitor

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// reopen listens on a port that was open before.
func reopen(t testing.TB, port int) (net.Listener, error) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err == nil {
		t.Cleanup(func() { l.Close() })
	}
	return l, err
}

func TestAConnectionIsReachedRefusedOrStaysOpen(t *testing.T) {
	open, _ := listen(t, "tcp", "127.0.0.1:0")
	six, _ := listen(t, "tcp6", "[::1]:0")
	for name, c := range map[string]struct {
		port int
		want state
	}{
		"IPv4": {open, reached}, "IPv6": {six, reached}, "nobody": {free(t), refused}, "hung": {hang(t), pending},
	} {
		t.Run(name, func(t *testing.T) {
			conn := conn{port: c.port}
			got, err := conn.dial()
			if got != c.want || err != nil {
				t.Errorf("state %d, %v", got, err)
			}
			if got == pending {
				conn.close()
			}
		})
	}
}

func TestACheckEndsInOrderSoThatNoServerComplains(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c := conn{port: l.Addr().(*net.TCPAddr).Port}
	if got, err := c.dial(); got != reached {
		t.Fatal(got, err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if n, err := server.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("the server reads %d, %v, want the end", n, err)
	}
}

func TestOurOwnTroubleIsNotTheServers(t *testing.T) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	port, _ := listen(t, "tcp", "127.0.0.1:0")
	none := limit
	none.Cur = 0
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	c := conn{port: port}
	got, err := c.dial()
	if restored := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); restored != nil {
		t.Fatal(restored)
	}
	if got != broken || !errors.Is(err, syscall.EMFILE) {
		t.Errorf("state %d, %v", got, err)
	}
	w := newWatch(Options{Interval: 1, Report: func(r Result) {
		if r.Healthy != nil || r.Why != fmt.Sprintf("port %d cannot be checked: too many open files", port) {
			t.Errorf("reported %+v", r)
		}
	}})
	w.conclude(Target{Server: "a", Port: port}, 0, got, err)
}

func TestWhoReachesItselfHasReachedNobody(t *testing.T) {
	fd, err := newSocket(unix.AF_INET)
	if err != nil {
		t.Fatal(err)
	}
	c := conn{port: free(t), fd: fd, family: unix.AF_INET}
	defer c.close()
	self := &unix.SockaddrInet4{Port: c.port, Addr: [4]byte{127, 0, 0, 1}}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil { // others may have used it just now
		t.Fatal(err)
	}
	if err := unix.Bind(fd, self); err != nil {
		t.Fatal(err)
	}
	unix.Connect(fd, self) //nolint:errcheck // poll says
	if got, err := c.poll(); got != refused || err != nil {
		t.Errorf("state %d, %v", got, err)
	}
}

func TestErrorsAreJudged(t *testing.T) {
	for err, want := range map[error]state{
		unix.ECONNREFUSED: refused, unix.ECONNRESET: refused, unix.ECONNABORTED: refused,
		unix.ETIMEDOUT: pending, unix.EADDRNOTAVAIL: broken, unix.ENOBUFS: broken, unix.EPERM: broken,
	} {
		if got, cause := judge(err); got != want || (cause != nil) != (want == broken) {
			t.Errorf("%v is judged %d, %v", err, got, cause)
		}
	}
}
