package process

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"tend/services"
)

// stat is what /proc/PID/stat says of a process.
type stat struct {
	services.Identity
	state   byte
	parent  int
	group   int
	session int
	exit    int    // wait status, of a zombie
	program string // as the kernel calls it, 15 bytes at most
}

// dead reports whether nothing of the process runs any more.
func (s stat) dead() bool { return s.state == 'Z' || s.state == 'X' }

// isGone reports whether the error says that there is no such process or
// cgroup, and not only that it could not be looked at.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENODEV)
}

// statReaders are for readStat: it is what a manager does most.
var statReaders = sync.Pool{New: func() any { return newReader() }}

// readStat reads one process. isGone tells about the error.
func readStat(pid int) (s stat, err error) {
	r := statReaders.Get().(*reader)
	defer statReaders.Put(r)
	r.name = append(strconv.AppendInt(append(r.name[:0], "/proc/"...), int64(pid), 10), "/stat\x00"...)
	text, err := r.first()
	if err != nil {
		return s, err
	}
	var field [53]int64
	program, state, ok := parseStat(text, field[:])
	if !ok {
		return s, fmt.Errorf("/proc/%d/stat is not what it should be", pid)
	}
	return stat{
		Identity: services.Identity{PID: pid, Start: uint64(field[22])}, state: state,
		parent: int(field[4]), group: int(field[5]), session: int(field[6]), exit: int(field[52]),
		program: string(program),
	}, nil
}

// parseStat reads a /proc/PID/stat: the program's name, the state, and the numbers
// into field, as they are numbered in proc(5); signs are lost. ok is false where
// it has fewer.
func parseStat(text []byte, field []int64) (program []byte, state byte, ok bool) {
	begin, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')') // the command between them may contain anything
	if begin < 0 || end < begin || len(text) < end+4 {
		return nil, 0, false
	}
	at := 3
	for _, c := range text[end+3:] {
		switch {
		case c == ' ' || c == '\n':
			if at++; at == len(field) {
				return text[begin+1 : end], text[end+2], true
			}
		case c >= '0' && c <= '9':
			field[at] = field[at]*10 + int64(c-'0')
		}
	}
	return nil, 0, false
}

// programOf returns the program's name of a process, a zombie's too, empty
// when it is gone.
func programOf(pid int) string {
	s, err := readStat(pid)
	if err != nil {
		return ""
	}
	return s.program
}

// living reports whether exactly this process is alive; a zombie is not.
func living(id services.Identity) bool {
	s, err := readStat(id.PID)
	return err == nil && s.Start == id.Start && !s.dead()
}

// over reports whether exactly this process has surely ended: unlike living, it
// takes one that cannot be looked at for alive.
func over(id services.Identity) bool {
	s, err := readStat(id.PID)
	return isGone(err) || err == nil && (s.Start != id.Start || s.dead())
}

// bootID returns the id of this boot of the machine.
func bootID() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(text)), err
}

// mark is what the environment of a server's process says about its run.
type mark struct{ instance, run, server string }

// readMark reads the mark of a process; it is empty where there is none. The
// error says why we could not look.
func readMark(pid int) (m mark, err error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	if err != nil {
		return m, err
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
	return m, nil
}

// commandLine returns the command of a process as people read it, bounded, and
// without what is secret: that may stand across the bound.
func commandLine(pid int, hide func(string) string) string {
	const most = 200
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
	if len(text) == 0 { // a kernel thread or a zombie
		text, _ = os.ReadFile("/proc/" + strconv.Itoa(pid) + "/comm")
	}
	line := hide(strings.TrimSpace(strings.ReplaceAll(string(text), "\x00", " ")))
	if len(line) > most {
		line = strings.ToValidUTF8(line[:most], "") + "…"
	}
	return line
}

// Variables returns those of the named variables that a process was started
// with, as far as it still shows them and we may look.
func (h *Host) Variables(id services.Identity, names []string) map[string]string {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(id.PID) + "/environ")
	if err != nil || !living(id) { // looked at after: it was this process that was read
		return nil
	}
	out := map[string]string{}
	for entry := range bytes.SplitSeq(text, []byte{0}) {
		name, value, ok := strings.Cut(string(entry), "=")
		if ok && slices.Contains(names, name) {
			out[name] = value
		}
	}
	return out
}

// statusOf reads /proc/PID/status.
func statusOf(pid string) map[string]string {
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return nil
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok {
			out[key] = strings.TrimSpace(value)
		}
	}
	return out
}

// kinOf returns a process and its ancestors, but for pid 1.
func kinOf(pid int) map[int]bool {
	kin := map[int]bool{}
	for pid > 1 && !kin[pid] {
		kin[pid] = true
		s, err := readStat(pid)
		if err != nil {
			break
		}
		pid = s.parent
	}
	return kin
}

// cameBack returns the children that our main thread has: it forks none itself,
// so they are those that have lost their parents.
func cameBack(pid int) ([]int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", pid))
	if err != nil {
		return nil, err
	}
	var out []int
	for field := range strings.FieldsSeq(string(text)) {
		child, err := strconv.Atoi(field)
		if err != nil {
			return nil, err
		}
		out = append(out, child)
	}
	return out, nil
}

// processes lists every pid of the machine.
func processes() ([]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	pids := make([]int, 0, len(names))
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids, err
}
