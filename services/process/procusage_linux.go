package process

import (
	"errors"
	"io/fs"
	"os"

	"tend/services"
)

// member is one process of a run as the meter reads it.
type member struct {
	services.Identity
	dead    bool // a zombie: what it used counts, nothing is held
	parent  int
	group   int
	session int
	ticks   int64 // of the processor, by itself and by children it has waited for
	threads int64
	pages   int64 // resident

	read, write, files int64 // bytes, descriptors; negative where it may not be known
}

// parseMember reads the text of /proc/PID/stat; false where it is none.
func parseMember(pid int, text []byte) (m member, ok bool) {
	var field [25]int64
	_, state, ok := parseStat(text, field[:])
	return member{
		Identity: services.Identity{PID: pid, Start: uint64(field[22])}, dead: state == 'Z' || state == 'X',
		parent: int(field[4]), group: int(field[5]), session: int(field[6]),
		ticks:   field[14] + field[15] + field[16] + field[17],
		threads: field[20], pages: field[24],
	}, ok
}

// stat reads what one process has used; false when it is gone.
func (m *Meter) stat(pid int) (member, bool) {
	m.proc.process(pid, "stat")
	text, err := m.proc.first()
	if err != nil {
		m.blind = m.blind || !isGone(err) && !errors.Is(err, fs.ErrPermission)
		return member{}, false
	}
	return parseMember(pid, text)
}

// traffic reads what a process and the children it has waited for have read
// from and written to storage. Both are negative where that may not be known.
func (m *Meter) traffic(pid int) (read, write int64) {
	m.proc.process(pid, "io")
	text, err := m.proc.first()
	switch {
	case isGone(err):
		return 0, 0
	case err != nil:
		return -1, -1
	}
	read, sure := valueOf(text, "read_bytes:")
	write, surer := valueOf(text, "write_bytes:")
	if !sure || !surer {
		return -1, -1
	}
	return read, write
}

// files counts the open descriptors of a process. Negative where that may not
// be known.
func (m *Meter) files(pid int) int64 {
	m.proc.process(pid, "fd")
	if m.sized {
		st, err := m.proc.status()
		switch {
		case isGone(err):
			return 0
		case err != nil:
			return -1
		}
		return st.Size
	}
	var err error
	m.scratch, err = m.proc.pids(m.scratch[:0])
	if err != nil && !isGone(err) {
		return -1
	}
	return int64(len(m.scratch))
}

// sizedFiles reports whether the kernel says how many descriptors a process has
// without listing them, as it does since Linux 6.2.
func sizedFiles() bool {
	info, err := os.Stat("/proc/self/fd")
	return err == nil && info.Size() > 0
}
