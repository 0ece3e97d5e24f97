package logs

import (
	"fmt"
	"os"
	"time"
)

// begin gives a new run its file. The caller holds the lock.
func (l *log) begin() (*os.File, error) {
	l.look(time.Now().UnixNano())
	if l.due() {
		for l.way == punch && l.step(0) { // also of a burst that was not over no more is kept than of others
		}
		if err := l.rotate(); err != nil {
			l.release() // opened again, the log finds out how far that came
			return nil, err
		}
	}
	out, err := openFile(l.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE)
	if err != nil {
		return nil, err
	}
	if err := l.settle(out); err != nil {
		_ = out.Close() // the first error is the one to tell
		return nil, err
	}
	now := time.Now().UnixNano()
	l.look(now) // settle may have ended a line
	l.begun = append(l.begun[max(0, len(l.begun)-mostBegun+1):], beginning{now, l.cur.end()})
	return out, nil
}

// beginning is when and where a run began to write.
type beginning struct {
	at    int64 // nanoseconds since 1970, before the run's StartedAt
	place Address
}

// mostBegun is how many beginnings a log remembers: who asks for what a run has
// written does so soon after its end.
const mostBegun = 8

// within turns the Run of a query into addresses. Of a run that an earlier
// manager started only the time is known, which serves as well where the clock
// was not set.
func (l *log) within(q Query) Query {
	q.Since, q.After, q.Before = q.Run.Truncate(time.Millisecond).Add(time.Millisecond), Address{}, Address{}
	l.mu.RLock()
	defer l.mu.RUnlock()
	next := len(l.begun) // the run after it
	for next > 0 && l.begun[next-1].at >= q.Since.UnixNano() {
		next--
	}
	if next < len(l.begun) {
		q.Before = l.begun[next].place
	}
	if next > 0 {
		q.Since, q.After = time.Time{}, l.begun[next-1].place
	}
	return q
}

// due reports whether this run has to begin a new file: the head of the
// present one is a hole that stays, or could not be removed at all.
func (l *log) due() bool {
	switch {
	case l.cur.file == nil || l.misplaced():
		return false
	case l.way == punch:
		return l.cur.Start > 0
	case l.way == none:
		return l.cur.kept() > l.limit
	}
	return false
}

// settle makes out the present file, where it is not, and ends the line in
// which the run before ended: two runs never share a line. What a full disk
// does not take is no reason not to start a server.
func (l *log) settle(out *os.File) error {
	there, err := out.Stat()
	if err != nil {
		return err
	}
	if l.cur.file != nil {
		mine, err := l.cur.file.Stat()
		if err != nil {
			return err
		}
		if os.SameFile(mine, there) {
			l.warn(notEnded, l.endLine(out))
			return nil
		}
	}
	file, err := openFile(l.path, os.O_RDWR)
	if err != nil || file == nil {
		return fmt.Errorf("opening %s again: %w", l.path, err)
	}
	if l.cur.file == nil { // recover has chosen the generation
		l.cur.file = file
	} else {
		l.misplaced() // tells, if that was not done yet
		_ = l.cur.file.Close()
		l.cur.file = file
		l.cur = segment{Gen: l.cur.Gen + 1, Whole: true, file: file}
		l.anchor = print{}
	}
	l.lost = false
	if l.cur.Gen > 1 {
		l.warn("the new generation is not recorded", l.save(sidecar{}))
	}
	l.look(time.Now().UnixNano())
	l.wake()
	l.warn(notEnded, l.endLine(out))
	return nil
}

const notEnded = "the last line of the run before could not be ended"

func (l *log) endLine(out *os.File) error {
	if l.cur.kept() <= 0 {
		return nil
	}
	var last [1]byte
	if _, err := l.cur.file.ReadAt(last[:], l.cur.size-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err := out.Write([]byte{'\n'})
	return err
}

// rotate sets the present file aside and begins another generation. Only the
// run before this one is kept so.
func (l *log) rotate() error {
	old := l.cur
	old.Head = printOf(old.file, old.Start, headLen)
	if l.old != nil && l.old.file != nil {
		_ = l.old.file.Close()
	}
	l.old, l.cur = &old, segment{Gen: old.Gen + 1, Whole: true}
	l.anchor = print{}
	if err := l.save(sidecar{Rotating: true}); err != nil {
		return err
	}
	if err := l.fail("rotating"); err != nil {
		return err
	}
	if err := os.Rename(l.path, l.oldPath()); err != nil {
		return err
	}
	if err := l.fail("set aside"); err != nil {
		return err
	}
	file, err := openFile(l.path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	l.cur.file = file
	if err := l.fail("begun"); err != nil {
		return err
	}
	if err := l.save(sidecar{}); err != nil {
		return err
	}
	l.wake()
	return nil
}
