package process

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"tend/services"
)

// groupCPU reads how many µs of processor time everything in a cgroup and below
// has used, the dead included; negative where it does not tell. No controller is
// needed for that.
func (m *Meter) groupCPU(dir string) int64 {
	m.group.in(dir, "cpu.stat")
	text, err := m.group.first()
	if err != nil {
		return -1
	}
	used, ok := valueOf(text, "usage_usec")
	if !ok {
		return -1
	}
	return used
}

// MemoryKind says what a meter reads as the memory of a run.
func (h *Host) MemoryKind(run services.Run) services.MemoryKind {
	if run.Cgroup == "" {
		return services.MemoryRSS
	}
	if _, err := os.Stat(filepath.Join(run.Cgroup, "memory.stat")); err == nil && !h.shares(run.Cgroup) {
		return services.MemoryCgroup
	}
	return services.MemoryRSS
}

// groupMemory reads what the processes of a run have asked for, where the
// memory controller counts it.
func (m *Meter) groupMemory(r *runUsage) (int64, bool) {
	if r.lacks.memory || r.shared {
		return 0, false
	}
	m.group.in(r.run.Cgroup, "memory.stat")
	text, err := m.group.first()
	if err != nil {
		r.lacks.memory = isGone(err)
		return 0, false
	}
	anonymous, sure := valueOf(text, "anon")
	shared, surer := valueOf(text, "shmem")
	return anonymous + shared, sure && surer
}

// groupTraffic reads what a run has read from and written to storage, where the
// io controller counts it; otherwise the sums that it is given remain.
func (m *Meter) groupTraffic(r *runUsage, read, write int64) (int64, int64) {
	m.group.in(r.run.Cgroup, "io.stat")
	text, err := m.group.all()
	switch {
	case isGone(err):
		r.lacks.io = true
		return read, write
	case err != nil:
		return -1, -1
	}
	return trafficOf(text)
}

// trafficOf adds up the devices of io.stat.
func trafficOf(text []byte) (read, write int64) {
	for field := range bytes.FieldsSeq(text) {
		key, value, _ := bytes.Cut(field, []byte("="))
		n, _ := decimal(value)
		switch string(key) {
		case "rbytes":
			read += int64(n)
		case "wbytes":
			write += int64(n)
		}
	}
	return read, write
}

// groupPIDs appends the processes in a cgroup and below it, without those of
// the managers there when it is our own. A directory of cgroups has a link for
// each one in it.
func (m *Meter) groupPIDs(dir string, ours bool, pids []int) []int {
	if ours {
		return cgroupMembers(dir, pids)
	}
	m.group.in(dir, "cgroup.procs")
	text, err := m.group.all()
	if err != nil {
		m.blind = m.blind || !isGone(err) && !errors.Is(err, unix.EOPNOTSUPP) // of threads alone: their process is counted above
		return pids
	}
	for line := range bytes.Lines(text) {
		if pid, ok := decimal(bytes.TrimSpace(line)); ok && pid > 0 {
			pids = append(pids, pid)
		}
	}
	m.group.in(dir, ".")
	if st, err := m.group.status(); err == nil && st.Nlink == 2 {
		return pids
	}
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() {
			pids = m.groupPIDs(filepath.Join(dir, e.Name()), ours, pids)
		}
	}
	return pids
}
