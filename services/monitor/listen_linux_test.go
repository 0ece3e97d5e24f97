package monitor

import (
	"fmt"
	"net"
	"testing"
)

func TestEverybodyWhoListensIsListed(t *testing.T) {
	ports := map[int]*listener{free(t): {}}
	var held []net.Conn
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	for i := range 200 { // and connections between them in the list
		port, _ := listen(t, []string{"tcp4", "tcp6", "tcp"}[i%3], []string{"127.0.0.1:0", "[::1]:0", ":0"}[i%3])
		ports[port] = new(listener)
		c, err := net.Dial("tcp", fmt.Sprintf("localhost:%d", port))
		if err == nil {
			held = append(held, c)
		}
	}
	first := make(map[int]uint64)
	for range 2 {
		if !listListening(ports) {
			t.Fatal("the kernel does not say")
		}
		none := 0
		for port, l := range ports {
			if l.mark == 0 {
				none++
			}
			if before, known := first[port]; known && before != l.mark {
				t.Errorf("the mark of port %d has changed", port)
			}
			first[port], *l = l.mark, listener{}
		}
		if none != 1 {
			t.Errorf("%d of the ports are free", none)
		}
	}
	tryListening(ports) // the way of other systems
	for port, l := range ports {
		if (l.mark == 0) != (first[port] == 0) {
			t.Errorf("port %d: mark %d by trying, %d by the list", port, l.mark, first[port])
		}
	}
}
