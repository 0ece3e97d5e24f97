package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// hall is a server behind a crowd of a few.
func hall(t *testing.T, most int) (address string, busy, leave chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	busy, leave = make(chan struct{}), make(chan struct{})
	door := newCrowd(l, most)
	m := &manager{doors: []*crowd{door}}
	srv := &http.Server{ConnState: m.noteState, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/busy" {
			busy <- struct{}{}
			<-leave
		}
		io.WriteString(w, "ok")
	})}
	var all sync.WaitGroup
	all.Go(func() { srv.Serve(door) })
	t.Cleanup(func() {
		close(leave)
		srv.Close()
		all.Wait()
		for until := time.Now().Add(10 * time.Second); ; <-time.After(time.Millisecond) { // they are told of a moment later
			door.mu.Lock()
			left := len(door.guests)
			door.mu.Unlock()
			if left == 0 {
				return
			}
			if time.Now().After(until) {
				t.Fatalf("%d guests are left", left)
			}
		}
	})
	return l.Addr().String(), busy, leave
}

func dialTCP(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	return conn
}

func talk(conn net.Conn, path string) (string, error) {
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path)
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return string(text), err
}

func TestACrowdThatSaysNothingMakesRoomForWhoeverAsks(t *testing.T) {
	address, _, _ := hall(t, 4)
	for range 20 {
		dialTCP(t, address) // says nothing
	}
	for range 3 {
		if text, err := talk(dialTCP(t, address), "/"); err != nil || text != "ok" {
			t.Errorf("%q %v", text, err)
		}
	}
}

func TestWhoIsBusyStaysAndOneTooManyIsTurnedAway(t *testing.T) {
	address, busy, leave := hall(t, 2)
	answers := make(chan string, 2)
	for range 2 {
		conn := dialTCP(t, address)
		go func() {
			text, err := talk(conn, "/busy")
			answers <- fmt.Sprint(text, err)
		}()
		<-busy
	}
	if text, err := talk(dialTCP(t, address), "/"); err == nil {
		t.Errorf("one too many got %q", text)
	}
	for range 2 {
		leave <- struct{}{}
		if answer := <-answers; answer != "ok<nil>" {
			t.Errorf("one who was busy got %q", answer)
		}
	}
	if text, err := talk(dialTCP(t, address), "/"); err != nil || text != "ok" {
		t.Errorf("then: %q %v", text, err)
	}
}

func TestAnHTTPSPortTellsWhoSpeaksPlainHTTPWhereToGo(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var all sync.WaitGroup
	all.Go(func() {
		conn, err := httpsDoor{l, "https://127.0.0.1:1"}.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		if n, err := conn.Read(make([]byte, 16)); n != 0 || err != io.EOF {
			t.Errorf("what was sent is read as a handshake: %d %v", n, err)
		}
	})
	conn := dialTCP(t, l.Addr().String())
	if text, err := talk(conn, "/"+strings.Repeat("x", 5000)); err != nil || !strings.Contains(text, "open https://127.0.0.1:1") {
		t.Errorf("%q %v", text, err)
	}
	conn.Close()
	all.Wait()
}
