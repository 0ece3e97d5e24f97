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

// connector hears from the kernel how every process of the machine ends. Before
// Linux 6.6 only root is told. It stands in for what pidfds tell since Linux
// 6.15, and wakes us for each exit there is, so it is opened when the first
// process needs it.
type connector struct {
	socket *os.File

	mu     sync.Mutex // guards what follows
	deaths map[int]*death
}

// death is the end of one process, as the connector tells it.
type death struct {
	since uint64        // on the monotonic clock: what is older is an earlier process's
	told  chan struct{} // closed when the main thread has ended

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
	idAt       = unix.NLMSG_HDRLEN // index, value
	cnHeader   = unix.NLMSG_HDRLEN + 20
	whatAt     = cnHeader
	stampAt    = cnHeader + 8  // nanoseconds of the monotonic clock
	exitAt     = cnHeader + 16 // pid, tgid, code
	exitLength = exitAt + 12
)

// firstPIDs is the pid namespace that the machine begins with.
const firstPIDs = "pid:[4026531836]"

// openConnector refuses in a pid namespace of our own, as in a container: the
// kernel calls processes by their numbers outside, which are others' inside.
func openConnector() (*connector, error) {
	if ns, err := os.Readlink("/proc/self/ns/pid"); err != nil || ns != firstPIDs {
		return nil, fmt.Errorf("open the proc connector: we count processes by ourselves, in %q", ns)
	}
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
	native.PutUint32(m[idAt:], cnProc)
	native.PutUint32(m[idAt+4:], cnProc)
	native.PutUint16(m[idAt+16:], 4) // bytes that follow the header
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

// hear takes one message. What is not a whole report of an end is passed over.
func (c *connector) hear(m []byte) {
	native := binary.NativeEndian
	if len(m) < exitLength || native.Uint32(m[idAt:]) != cnProc || native.Uint32(m[idAt+4:]) != cnProc ||
		native.Uint32(m[whatAt:]) != exitEvent {
		return
	}
	thread, pid := int(int32(native.Uint32(m[exitAt:]))), int(int32(native.Uint32(m[exitAt+4:])))
	ws := syscall.WaitStatus(native.Uint32(m[exitAt+8:]))
	c.mu.Lock()
	d := c.deaths[pid]
	c.mu.Unlock()
	if d != nil && native.Uint64(m[stampAt:]) >= d.since {
		d.hear(ws, thread == pid)
	}
}

// follow makes the connector remember the end of a process. Follow first, then
// verify that the process is alive: no end goes unheard in between. A report of
// an earlier process of this pid may still be on its way; it is known by its age.
func (c *connector) follow(pid int) *death {
	d := &death{since: monotonic(), told: make(chan struct{})}
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

// monotonic reads the clock that the kernel stamps its reports with.
func monotonic() uint64 {
	var now unix.Timespec
	unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) //nolint:errcheck // every Linux has it
	return uint64(now.Nano())
}

func (d *death) hear(ws syscall.WaitStatus, main bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.over && main: // another process already
	case d.over:
		d.mixed = d.mixed || ws != d.ws
	case main:
		d.ws, d.over = ws, true
		close(d.told)
	}
}

// straggling is how long the report of a process's last thread may take. The
// main thread may have ended long before: alone it would pass for the process.
const straggling = 20 * time.Millisecond

// await returns the status of a process that has ended; ok is false where it is
// not told in time or not certain.
func (d *death) await(most time.Duration) (ws syscall.WaitStatus, ok bool) {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-d.told:
	case <-timer.C:
		return 0, false
	}
	<-time.After(straggling)
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ws, !d.mixed
}
