package logs

import (
	"os"
	"time"
)

// recover finds the present segment and the old one. The caller holds the lock.
func (l *log) recover() error {
	l.times = openTimes(l.path + ".times")
	c, found, err := loadSidecar(l.metaPath())
	if err != nil {
		l.slog.Warn("the record of a log is damaged and is made anew", "server", l.name, "err", err)
		c, found = sidecar{}, false
	}
	l.placed = found
	file, err := openFile(l.path, os.O_RDWR)
	if err != nil {
		return err
	}
	if file != nil && c.Rotating {
		if file, err = l.finishRotating(file); err != nil {
			return err
		}
	}
	l.cur, l.old = c.segment, c.Old
	l.recoverOld()
	latest := l.times.last.end.Gen
	switch {
	case file != nil:
		return l.recoverFile(file, c, found)
	case found && c.Rotating && latest < c.Gen:
		// The old file was set aside; the new one is still to be made.
	case found || l.times.count > 0:
		l.cur = segment{Gen: max(c.Gen, latest) + 1, Whole: true}
		l.tell("The log file of %s is gone: its lines begin anew.", l.name)
	default:
		l.cur = segment{Gen: 1, Whole: true}
	}
	return nil
}

// finishRotating sets the old file aside, unless this had been done and file
// is the new one, which is empty until the sidecar says that it is there.
func (l *log) finishRotating(file *os.File) (*os.File, error) {
	info, err := file.Stat()
	if err != nil || info.Size() == 0 {
		return file, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	return nil, os.Rename(l.path, l.oldPath())
}

// recoverOld opens the old file, and forgets it where it is another one.
func (l *log) recoverOld() {
	if l.old == nil {
		return
	}
	f, err := openFile(l.oldPath(), os.O_RDWR)
	if err == nil && f != nil {
		if info, err := f.Stat(); err == nil && info.Size() >= l.old.Start && l.old.Head.at(f, l.old.Start) {
			l.old.file, l.old.size = f, info.Size()
			return
		}
		_ = f.Close() // it is not ours
	}
	l.old = nil
}

// recoverFile decides which addresses the bytes of the present file have.
func (l *log) recoverFile(file *os.File, c sidecar, found bool) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	hole := dataStart(file)
	switch last := l.times.last.end.Gen; {
	case found && c.Collapsing && hole < c.Start: // it had happened
		l.cur.Base += l.cur.Start
		l.cur.Start = 0
	case !found || last > c.Gen: // no record, or one that could not be written any more
		l.cur = segment{Gen: max(last, 1), Start: hole, Whole: hole == 0}
	}
	l.cur.file = file
	known := l.known(size)
	if known < 0 {
		l.cur.Gen = max(l.cur.Gen, l.times.last.end.Gen)
		l.renew("The log of %s was truncated or replaced while no manager watched: its lines begin anew.")
		known = hole
		if l.cur.Start = hole; hole > 0 {
			l.cur.Whole = false
			if err := l.save(sidecar{}); err != nil {
				return err
			}
		}
	} else if found && (c.Collapsing || c.Rotating) {
		if err := l.save(sidecar{}); err != nil {
			return err
		}
	}
	l.cur.size, l.anchor = known, printBefore(file, known, l.cur.Start)
	l.look(-time.Now().UnixNano())
	return nil
}

// known returns up to which offset the file had been looked at by an earlier
// manager, -1 where it is no longer the same file.
func (l *log) known(size int64) int64 {
	last := l.times.last
	if size < l.cur.Start || !l.cur.Head.at(l.cur.file, l.cur.Start) {
		return -1
	}
	if l.times.count == 0 || last.end.Gen != l.cur.Gen {
		return l.cur.Start
	}
	end := last.end.Off - l.cur.Base
	if end > size {
		return -1
	}
	if from := end - int64(last.n); from >= l.cur.Start && last.n <= anchorLen {
		if !(print{Len: int(last.n), Sum: last.sum}).at(l.cur.file, from) {
			return -1
		}
	}
	return max(end, l.cur.Start)
}
