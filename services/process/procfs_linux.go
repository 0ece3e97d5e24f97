package process

import (
	"bytes"
	"os"
	"strconv"
	"strings"

	"tend/services"
)

// stat is what /proc/PID/stat says of a process.
type stat struct {
	services.Identity
	state   byte
	parent  int
	group   int
	session int
	exit    int // wait status, of a zombie
}

// dead reports whether nothing of the process runs any more.
func (s stat) dead() bool { return s.state == 'Z' || s.state == 'X' }

// readStat reads one process; ok is false when there is none.
func readStat(pid int) (s stat, ok bool) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return s, false
	}
	// The command stands in parentheses and may contain anything.
	i := bytes.LastIndexByte(text, ')')
	if i < 0 {
		return s, false
	}
	fields := strings.Fields(string(text[i+1:]))
	if len(fields) < 50 {
		return s, false
	}
	number := func(field int) int { // as numbered in proc(5)
		n, _ := strconv.Atoi(fields[field-3])
		return n
	}
	s.PID, s.state = pid, fields[0][0]
	s.parent, s.group, s.session, s.exit = number(4), number(5), number(6), number(52)
	s.Start, _ = strconv.ParseUint(fields[22-3], 10, 64)
	return s, true
}

// living reports whether exactly this process is alive; a zombie is not.
func living(id services.Identity) bool {
	s, ok := readStat(id.PID)
	return ok && s.Start == id.Start && !s.dead()
}

// bootID returns the id of this boot of the machine.
func bootID() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text)), err
}

// mark is what the environment of a server's process says about its run.
type mark struct{ instance, run, server string }

// readMark reads the mark of a process; it is empty where there is none or
// where we may not look.
func readMark(pid int) (m mark) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return m
	}
	for entry := range bytes.SplitSeq(text, []byte{0}) {
		if value, ok := bytes.CutPrefix(entry, []byte(markRun+"=")); ok {
			instance, run, _ := bytes.Cut(value, []byte("."))
			m.instance, m.run = string(instance), string(run)
		}
		if value, ok := bytes.CutPrefix(entry, []byte(markServer+"=")); ok {
			m.server = string(value)
		}
	}
	return m
}

// commandLine returns the command of a process as people read it, bounded.
func commandLine(pid int) string {
	const most = 200
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if len(text) == 0 { // a kernel thread or a zombie
		text, _ = os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	}
	line := strings.TrimSpace(strings.ReplaceAll(string(text), "\x00", " "))
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + "…"
	}
	return line
}

// processes lists every pid of the machine.
func processes() []int {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	pids := make([]int, 0, len(names))
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}
