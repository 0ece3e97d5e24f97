package handlers

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"tend/services/process"
)

// connectAs connects to an address as a user. The kernel takes the user of a
// socket from the thread that makes it.
func connectAs(t *testing.T, uid int, at *net.TCPAddr) int {
	t.Helper()
	type result struct {
		fd  int
		err error
	}
	made := make(chan result, 1)
	go func() {
		runtime.LockOSThread() // and ends with this goroutine
		if uid != os.Geteuid() {
			if _, err := unix.SetfsuidRetUid(uid); err != nil {
				made <- result{0, err}
				return
			}
		}
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err == nil {
			err = unix.Connect(fd, &unix.SockaddrInet4{Port: at.Port, Addr: [4]byte(at.IP.To4())})
		}
		made <- result{fd, err}
	}()
	r := <-made
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.fd
}

// One who connects, sends and closes at once is root by the kernel's tables.
func TestTheKernelSaysWhoActsOnLoopback(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be somebody else")
	}
	a := newApp(t, func(d *Deps) { d.LocalOperator = true })
	answered := make(chan int, 1)
	front := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		a.whole.ServeHTTP(rec, r)
		w.WriteHeader(rec.Code)
		answered <- rec.Code
	})
	const order = "POST /api/servers/web?action=start HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
	for name, c := range map[string]struct {
		uid    int
		closes bool
		want   int
	}{
		"another user who stays": {4711, false, 401}, "another user who closes at once": {4711, true, 401}, "nobody": {nobody, false, 401},
		"the manager's user": {0, false, 200}, "the manager's user who closes at once": {0, true, 401},
	} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		// It has sent, and perhaps gone, before anybody accepts the connection.
		client := os.NewFile(uintptr(connectAs(t, c.uid, l.Addr().(*net.TCPAddr))), "client")
		if _, err := io.WriteString(client, order); err != nil {
			t.Fatal(err)
		}
		if c.closes {
			client.Close()
		}
		srv := &http.Server{Handler: front, ConnContext: ConnContext(process.SocketOwner)}
		var serving sync.WaitGroup
		serving.Go(func() { srv.Serve(l) })
		if got := <-answered; got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
		client.Close()
		srv.Close()
		serving.Wait()
	}
	if list := a.Orders(); len(list) != 1 {
		t.Errorf("carried out %v", list)
	}
}
