package process

import (
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestASocketBelongsToTheRunThatHasItOpen(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	target, err := os.Readlink("/proc/self/fd/" + strconv.Itoa(int(file.Fd())))
	if err != nil {
		t.Fatal(err)
	}
	inode, err := strconv.ParseUint(strings.Trim(target, "socket:[]"), 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	eachTier(t, func(t *testing.T, without Without) {
		b := open(t, "sockets", without)
		p := b.start(self("obedient"))
		b.says("ready")
		if b.OwnsSocket(p.Run().ID, []uint32{uint32(inode)}) {
			t.Error("our socket counts as the server's")
		}
		if !b.OwnsSocket("ended", []uint32{uint32(inode)}) {
			t.Error("a run that is gone was asked about and denied")
		}
		s := self("listening")
		s.Name = "b"
		b.log += ".b"
		q := b.start(s)
		var own uint64
		until(t, "the server tells its socket", func() bool {
			text, _ := os.ReadFile(b.log)
			own, err = strconv.ParseUint(strings.TrimSpace(string(text)), 10, 32)
			return err == nil
		})
		if !b.OwnsSocket(q.Run().ID, []uint32{uint32(own)}) {
			t.Error("the server's socket is not its own")
		}
		halted := func(want ...string) func() bool {
			return func() bool { return slices.Equal(b.Halted("ended", p.Run().ID, q.Run().ID), want) }
		}
		if !halted()() {
			t.Error("one of them counts as halted")
		}
		syscall.Kill(q.Run().Leader.PID, syscall.SIGSTOP)
		until(t, "it is halted", halted(q.Run().ID))
		if alone := b.Halted(q.Run().ID); len(alone) != 1 {
			t.Error("asked about alone, it is not halted")
		}
		syscall.Kill(q.Run().Leader.PID, syscall.SIGCONT)
		until(t, "it goes on", halted())
		adopted := &handle{Identity: q.Run().Leader, fd: -1}
		syscall.Kill(adopted.PID, syscall.SIGSTOP)
		until(t, "a survivor is halted", adopted.halted)
		syscall.Kill(adopted.PID, syscall.SIGCONT)
		until(t, "a survivor goes on", func() bool { return !adopted.halted() })
	})
}
