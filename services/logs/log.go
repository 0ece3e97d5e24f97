package logs

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"tend/services"
)

// way is how the head of a file can be removed. It is found by trying.
type way int

const (
	untried  way = iota
	collapse     // COLLAPSE_RANGE: the file becomes shorter
	punch        // PUNCH_HOLE only: the next run begins a new file
	none         // neither: the file grows until the next run begins a new one
)

// log is the output of one server.
//
// The lock is held across file operations, unlike anywhere else: to keep a
// reader from a file whose head is being removed is what it is there for. It
// is write-locked for one step of retention at most, for all of them where a run
// begins a new file, and read-locked for one window of a reader.
type log struct {
	name, path string
	report     func(services.Event)
	slog       *slog.Logger
	hide       func([]byte) []byte
	fail       func(step string) error // tests: die between two steps

	followers atomic.Int32

	mu     sync.RWMutex // guards what follows
	opened bool
	cur    segment // cur.file is nil while there is no file
	old    *segment
	anchor print // of the bytes before cur.size
	times  times
	begun  []beginning // the last ones of this manager
	limit  int64
	way    way
	lost   bool            // the file is no longer at its path, and this was told
	grows  bool            // it cannot be kept small, and this was told
	failed map[string]bool // what fails at present, and was logged
	placed bool            // the sidecar exists, so that it can be written over on a full disk
	news   chan struct{}   // closed, and replaced, when there is more to read
	told   []string        // events to report once unlocked
}

func newLog(dir, name string, o Options) *log {
	return &log{
		name: name, path: filepath.Join(dir, name+".log"),
		report: o.Report, slog: o.Log, hide: o.Hide, fail: o.fail,
		way: max(o.way, nativeWay), limit: unlimited, news: make(chan struct{}),
	}
}

// open finds out, on first use, where the addresses are, whatever happened to
// the files since an earlier manager.
func (l *log) open() error {
	l.mu.Lock()
	defer l.unlock()
	if l.opened {
		return nil
	}
	if err := l.recover(); err != nil {
		l.release()
		return fmt.Errorf("opening the log of %s: %w", l.name, err)
	}
	l.opened = true
	return nil
}

// unlock ends a change and then reports what has to be told about it.
func (l *log) unlock() {
	told := l.told
	l.told = nil
	l.mu.Unlock()
	for _, message := range told {
		l.report(services.Event{Kind: services.EventLog, Server: l.name, Message: message})
	}
}

func (l *log) tell(format string, args ...any) {
	l.told = append(l.told, fmt.Sprintf(format, args...))
}

// warn logs what failed, once until it succeeds: most of it is tried again at
// each tick.
func (l *log) warn(what string, err error) {
	switch {
	case err == nil:
		delete(l.failed, what)
	case !l.failed[what]:
		if l.failed == nil {
			l.failed = map[string]bool{}
		}
		l.failed[what] = true
		l.slog.Warn(what, "server", l.name, "err", err)
	}
}

func (l *log) metaPath() string { return l.path + ".meta" }
func (l *log) oldPath() string  { return l.path + ".1" }

// save records where the addresses are.
func (l *log) save(c sidecar) error {
	c.segment, c.Old = l.cur, l.old
	err := c.save(l.metaPath())
	l.placed = l.placed || err == nil
	return err
}

// first is where the oldest byte is that can be read.
func (l *log) first() Address {
	if l.old != nil {
		return l.old.first()
	}
	return l.cur.first()
}

// segments returns the files from old to new.
func (l *log) segments() []*segment {
	if l.old != nil {
		return []*segment{l.old, &l.cur}
	}
	return []*segment{&l.cur}
}

// wake tells the followers that there is more to read.
func (l *log) wake() {
	close(l.news)
	l.news = make(chan struct{})
}

// intact reports whether nobody has truncated the file since it was looked at.
func (l *log) intact() bool {
	return l.cur.file == nil || l.anchor.at(l.cur.file, l.cur.size-int64(l.anchor.Len))
}

// look takes notice of what was written since the last time, at the given
// moment, which is negative where it is only an upper bound. It reports
// whether there was anything.
func (l *log) look(now int64) bool {
	if l.cur.file == nil {
		return false
	}
	info, err := l.cur.file.Stat()
	if err != nil {
		l.slog.Warn("cannot look at the log", "server", l.name, "err", err)
		return false
	}
	size, news := info.Size(), false
	if size < l.cur.size || !l.intact() {
		l.renew("The log of %s was truncated, by the server or by somebody else: what it held before is gone.")
		news = true
	}
	if size > l.cur.size {
		l.cur.size, l.anchor = size, printBefore(l.cur.file, size, l.cur.Start)
		l.warn("lines will have no time", l.times.add(pair{at: now, end: l.cur.end(), sum: l.anchor.Sum, n: uint64(l.anchor.Len)}))
		news = true
	}
	if news {
		l.wake()
	}
	return news
}

// renew begins a new generation in the same file, and says why.
func (l *log) renew(why string) {
	l.cur = segment{Gen: l.cur.Gen + 1, Whole: true, file: l.cur.file}
	l.anchor = print{}
	l.tell(why, l.name)
	l.warn("the new generation is not recorded", l.save(sidecar{}))
}

// refresh is look for those who do not hold the lock.
func (l *log) refresh(now time.Time) {
	l.mu.Lock()
	defer l.unlock()
	l.look(now.UnixNano())
}

// misplaced notices, once, that the file was deleted or moved away under the
// server that writes to it.
func (l *log) misplaced() bool {
	if l.cur.file == nil || l.lost {
		return l.lost
	}
	mine, err := l.cur.file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(l.path)
	if err == nil && os.SameFile(mine, there) || err != nil && !os.IsNotExist(err) {
		return false
	}
	l.lost = true
	l.tell("The log file of %s was deleted or moved away. What it writes still goes there; its next start begins a new file.", l.name)
	return true
}

// reserve makes sure that there is a sidecar before the disk can be full.
func (l *log) reserve() {
	if l.cur.file != nil && !l.placed && l.cur.kept() > floor {
		l.warn(notSmall, l.save(sidecar{}))
	}
}

// close lets go of the files.
func (l *log) close() {
	l.mu.Lock()
	defer l.unlock()
	l.release()
}

func (l *log) release() {
	for _, s := range l.segments() {
		if s.file != nil {
			_ = s.file.Close() // nothing is buffered
			s.file = nil
		}
	}
	l.opened = false
}

// openFile opens a log for reading and for removing its head; nil where there
// is none.
func openFile(path string, flags int) (*os.File, error) {
	info, err := os.Lstat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return nil, services.Errorf(services.Invalid, "%s is not a plain file: move it away", path)
	case err != nil && !os.IsNotExist(err):
		return nil, err
	}
	f, err := os.OpenFile(path, flags|syscall.O_NOFOLLOW, 0o600)
	if os.IsNotExist(err) && flags&os.O_CREATE == 0 {
		return nil, nil
	}
	return f, err
}

// links is how many names the file has left.
func links(info fs.FileInfo) uint64 {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(st.Nlink)
	}
	return 1
}
