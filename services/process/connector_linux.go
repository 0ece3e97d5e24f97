package process

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// connector hears from the kernel how every process of the machine ends. Only
// root is told, and only outside of containers. It stands in for what pidfds
// tell since Linux 6.15, and wakes us for each exit there is, so it is opened
// when the first process needs it.
type connector struct {
	socket *os.File

	mu     sync.Mutex // guards what follows
	deaths map[int]*death
}

// death is the end of one process, as the connector tells it.
type death struct {
	told chan struct{} // closed when the main thread has ended

	mu    sync.Mutex // guards what follows
	over  bool
	ws    syscall.WaitStatus
	mixed bool // its threads ended differently: the status is not certain
}

// What linux/cn_proc.h and linux/connector.h say.
const (
	cnProc     = 1 // both CN_IDX_PROC and CN_VAL_PROC
	cnListen   = 1
	exitEvent  = 0x80000000
	cnHeader   = unix.NLMSG_HDRLEN + 20
	whatAt     = cnHeader
	exitAt     = cnHeader + 16 // pid, tgid, code
	exitLength = exitAt + 12
)

func openConnector() (*connector, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_CONNECTOR)
	if err != nil {
		return nil, fmt.Errorf("open the proc connector: %w", err)
	}
	c := &connector{socket: os.NewFile(uintptr(fd), "proc connector"), deaths: map[int]*death{}}
	if err := subscribe(fd); err != nil {
		c.socket.Close()
		return nil, fmt.Errorf("listen to the proc connector: %w", err)
	}
	return c, nil
}

func subscribe(fd int) error {
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: cnProc}); err != nil {
		return err
	}
	// Of forks and execs, of which there are many, we do not even wake up.
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: whatAt},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: networkOrder(exitEvent)},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0xffffffff},
		{Code: unix.BPF_RET | unix.BPF_K, K: 0},
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &filter); err != nil {
		return err
	}
	unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 1<<20) //nolint:errcheck // a shorter queue works, too
	var m [cnHeader + 4]byte
	native := binary.NativeEndian
	native.PutUint32(m[0:], uint32(len(m)))
	native.PutUint16(m[4:], unix.NLMSG_DONE)
	native.PutUint32(m[16:], cnProc)
	native.PutUint32(m[20:], cnProc)
	native.PutUint16(m[32:], 4)
	native.PutUint32(m[cnHeader:], cnListen)
	return unix.Sendto(fd, m[:], 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
}

// networkOrder turns a number in memory into what the filter loads from there.
func networkOrder(n uint32) uint32 {
	var b [4]byte
	binary.NativeEndian.PutUint32(b[:], n)
	return binary.BigEndian.Uint32(b[:])
}

// run hears until ctx ends. Events that were lost because too many came at
// once leave their processes' exits unknown.
func (c *connector) run(ctx context.Context) {
	defer c.socket.Close()
	defer context.AfterFunc(ctx, func() { c.socket.SetReadDeadline(time.Unix(1, 0)) })() //nolint:errcheck // a socket has deadlines
	raw, err := c.socket.SyscallConn()
	if err != nil {
		return
	}
	buf := make([]byte, 4<<10)
	for ctx.Err() == nil {
		err := raw.Read(func(fd uintptr) bool {
			n, from, err := unix.Recvfrom(int(fd), buf, 0)
			if err == unix.EAGAIN {
				return false
			}
			if sender, ok := from.(*unix.SockaddrNetlink); err == nil && ok && sender.Pid == 0 { // the kernel
				c.hear(buf[:n])
			}
			return true
		})
		if err != nil {
			return
		}
	}
}

func (c *connector) hear(m []byte) {
	native := binary.NativeEndian
	if len(m) < exitLength || native.Uint32(m[whatAt:]) != exitEvent {
		return
	}
	thread, pid := int(int32(native.Uint32(m[exitAt:]))), int(int32(native.Uint32(m[exitAt+4:])))
	ws := syscall.WaitStatus(native.Uint32(m[exitAt+8:]))
	c.mu.Lock()
	d := c.deaths[pid]
	c.mu.Unlock()
	if d != nil {
		d.hear(ws, thread == pid)
	}
}

// follow makes the connector remember the end of a process. Follow first, then
// verify that the process is alive: no end goes unheard in between, nor is
// that of an earlier process of this pid taken for its own.
func (c *connector) follow(pid int) *death {
	d := &death{told: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deaths[pid] = d
	return d
}

func (c *connector) forget(pid int, d *death) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.deaths[pid] == d {
		delete(c.deaths, pid)
	}
}

func (d *death) hear(ws syscall.WaitStatus, main bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.over && main: // another process already
		return
	case d.over:
		d.mixed = d.mixed || ws != d.ws
		return
	case main:
		d.ws, d.over = ws, true
		close(d.told)
	}
}

// await waits until the end is told.
func (d *death) await(most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-d.told:
		return true
	case <-timer.C:
		return false
	}
}

func (d *death) status() (syscall.WaitStatus, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ws, d.over && !d.mixed
}
