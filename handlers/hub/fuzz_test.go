package hub

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"
)

// frame makes a masked frame as browsers send them; a mask of zeros leaves the
// payload as it is.
func frame(first byte, payload string) []byte {
	return append([]byte{first, 0x80 | byte(len(payload)), 0, 0, 0, 0}, payload...)
}

// Whatever a client sends on its websocket, and however it is cut into frames,
// the connection ends once the client has ended its side, and others get what
// they are to get.
func FuzzAClientMaySendAnythingAndHarmsNobody(f *testing.F) {
	f.Add([]byte{})
	f.Add(frame(0x81, "hello"))                                                                // text
	f.Add(frame(0x82, "\x00\xff"))                                                             // binary
	f.Add(append(frame(0x01, "a"), frame(0x80, "b")...))                                       // in two pieces
	f.Add(append(frame(0x01, "a"), append(frame(0x89, "ping"), frame(0x80, "b")...)...))       // a ping in between
	f.Add(frame(0x8a, "pong"))                                                                 // nobody has asked
	f.Add(frame(0x88, "\x03\xe8bye"))                                                          // a close with a reason
	f.Add(frame(0x88, "\x00"))                                                                 // a close that is too short
	f.Add(frame(0xf1, "reserved bits"))                                                        // an extension that there is none of
	f.Add([]byte{0x81, 0x05, 'h', 'e', 'l', 'l', 'o'})                                         // not masked
	f.Add([]byte{0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 'x'}) // as long as there can be
	f.Add([]byte{0x81, 0xfe, 0xff, 0xff, 0, 0, 0, 0, 'x'})                                     // longer than what comes
	f.Add([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))                                         // another request
	f.Fuzz(func(t *testing.T, sent []byte) {
		h := open(t)
		conn, err := net.Dial("tcp", h.server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		fmt.Fprint(conn, "GET /?topic=all HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
		in := bufio.NewReader(conn)
		res, err := http.ReadResponse(in, nil)
		if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("%v %v", res, err)
		}
		conn.Write(sent) // it may have hung up in the middle of it
		conn.(*net.TCPConn).CloseWrite()
		if n, err := io.Copy(io.Discard, in); err != nil && isTimeout(err) {
			t.Fatalf("after %d bytes it is open for ever", n)
		}
		h.Publish(text("all", "a", 1, "a1"))
		until(t, h.dial("topic=all"), "a1;")
	})
}

func isTimeout(err error) bool {
	late, ok := err.(net.Error)
	return ok && late.Timeout()
}
