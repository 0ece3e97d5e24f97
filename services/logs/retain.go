package logs

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

const (
	maxStep  = 16 << 20 // removed at once, so that nobody waits long
	slowRate = 4 << 20  // bytes a second; a collapse is not felt by a writer below
	maxHole  = 64 << 20 // at the head of a file that is written faster, if not four times its limit
)

// While a log grows by gush or more, in bytes a second, it may have gushMost times
// its limit before anything is freed: its writer waits while pages are, for a
// tenth of its time where it writes lines as fast as it can, and by then may have
// written all it had. Where the disk has no room for that it counts as slower.
const (
	gush     = 128 << 20
	gushMost = 6
)

// most is how much of a log is kept at the most while it grows at rate. The
// caller holds the lock.
func (l *log) most(rate float64) int64 {
	if rate >= gush {
		return gushMost * l.limit
	}
	return l.limit
}

// notSmall is what the failure of any step of retention means.
const notSmall = "the log could not be kept small"

// retain frees the head where the log is over its limit, and makes the file
// short again where that is due. rate is how fast it grows, in bytes a second.
func (l *log) retain(rate float64) {
	if l.keepSmall(rate) {
		l.compact()
	}
}

// keepSmall is retain without the part that waits for the disk: it reports
// whether compact is due.
func (l *log) keepSmall(rate float64) (due bool) {
	for l.retainStep(rate) {
	}
	l.mu.Lock()
	defer l.unlock()
	hole := l.cur.Start
	return (l.way == collapse || l.way == untried) && hole > 0 && !l.unowned() && (rate < slowRate || hole >= max(4*l.limit, maxHole))
}

// compact makes the file short again. It may wait long for the disk, without
// the lock, and is harmless where Begin replaced the file meanwhile.
func (l *log) compact() {
	l.mu.RLock()
	file := l.cur.file
	l.mu.RUnlock()
	if file == nil || l.fail("compacting") != nil {
		return
	}
	writeBack(file, true)
	writeBack(file, true) // what was written meanwhile: the rest is waited for with the lock
	l.mu.Lock()
	defer l.unlock()
	if l.cur.file == file && l.cur.Start > 0 {
		l.warn(notSmall, l.shorten())
	}
}

// retainStep frees one step where there is more than may be kept, and reports
// whether there may be more to free.
func (l *log) retainStep(rate float64) bool {
	l.mu.Lock()
	defer l.unlock()
	return l.step(rate)
}

// step is retainStep for those who hold the lock.
func (l *log) step(rate float64) bool {
	most := l.most(rate)
	target := most - l.limit/4
	if l.old != nil && l.cur.kept() >= l.limit/4*3 {
		l.warn(notSmall, l.dropOld())
	}
	if l.cur.kept() <= most || l.cur.file == nil || l.unowned() {
		return false
	}
	if l.way == none {
		if !l.grows {
			l.grows = true
			l.tell("This file system cannot free the beginning of a file: the log of %s grows until its next start begins a new one.", l.name)
		}
		return false
	}
	freed, err := l.free(l.cur.kept() - target)
	l.warn(notSmall, err)
	return err == nil && freed > 0
}

// unowned reports whether the file was moved away: it is somebody else's now.
// A deleted file still takes space, and is ours alone.
func (l *log) unowned() bool {
	if !l.lost {
		return false
	}
	info, err := l.cur.file.Stat()
	return err != nil || links(info) > 0
}

// dropOld removes the file that a rotation set aside.
func (l *log) dropOld() error {
	if l.old.file != nil {
		_ = l.old.file.Close()
	}
	l.old = nil
	if err := l.save(sidecar{}); err != nil {
		return err
	}
	if err := os.Remove(l.oldPath()); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("removing the old log: %w", err)
	}
	return l.forget()
}

// free turns up to n bytes of the head, in whole blocks and one step at most,
// into a hole. First the sidecar says that they are gone, then they go: who
// dies in between leaves bytes that nobody reads and the next step frees.
func (l *log) free(n int64) (int64, error) {
	s := &l.cur
	block := blockSize(s.file)
	start := (s.Start + min(n, maxStep)) / block * block
	if start <= s.Start || start >= s.size {
		return 0, nil
	}
	before := *s
	var last [1]byte
	if _, err := s.file.ReadAt(last[:], start-1); err != nil {
		return 0, fmt.Errorf("reading the head: %w", err)
	}
	s.Start, s.Whole, s.Head = start, last[0] == '\n', printOf(s.file, start, headLen)
	if err := l.save(sidecar{}); err != nil {
		*s = before
		return 0, err
	}
	if err := l.fail("recorded"); err != nil {
		return 0, err
	}
	if err := punchHole(s.file, 0, start); err != nil {
		*s = before
		if !unsupported(err) {
			return 0, errors.Join(fmt.Errorf("freeing the head: %w", err), l.save(sidecar{}))
		}
		l.way = none
		return 1, l.save(sidecar{}) // the next step tells

	}
	if err := l.fail("punched"); err != nil {
		return 0, err
	}
	if l.way == untried {
		l.way = collapse
	}
	return start - before.Start, l.forget()
}

// shorten removes the hole at the head from the file. The sidecar announces
// it first; whether it happened is seen by whether the hole is still there.
func (l *log) shorten() error {
	s := &l.cur
	if dataStart(s.file) < s.Start {
		// The last manager died before it made the hole, or holes are not shown here.
		if err := punchHole(s.file, 0, s.Start); err != nil {
			return fmt.Errorf("freeing the head: %w", err)
		}
		if dataStart(s.file) < s.Start {
			l.way = punch
			return nil
		}
	}
	if err := l.save(sidecar{Collapsing: true}); err != nil {
		return err
	}
	if err := l.fail("announced"); err != nil {
		return err
	}
	if err := collapseRange(s.file, s.Start); err != nil {
		if unsupported(err) {
			l.way, err = punch, nil // the next run begins a new file
		}
		return errors.Join(err, l.save(sidecar{}))
	}
	l.way = collapse
	s.Base += s.Start
	s.size -= s.Start
	s.Start = 0
	if err := l.fail("collapsed"); err != nil {
		return err
	}
	return l.save(sidecar{})
}

// unsupported reports whether the file system will never do it. EINVAL is
// what some of them say to steps that are not multiples of their clusters.
func unsupported(err error) bool {
	return errors.Is(err, errors.ErrUnsupported) || errors.Is(err, syscall.EOPNOTSUPP) ||
		errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EINVAL)
}

// forget drops the times of lines that are gone.
func (l *log) forget() error { return l.times.forget(l.first()) }

// lastWritten is when the file last changed, for finding the oldest.
func (l *log) lastWritten() (at time.Time, kept int64) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.cur.file == nil {
		return time.Time{}, 0
	}
	info, err := l.cur.file.Stat()
	if err != nil {
		return time.Time{}, 0
	}
	return info.ModTime(), l.cur.kept()
}
