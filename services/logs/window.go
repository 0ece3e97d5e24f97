package logs

import "time"

// windowSize is how much is read at once, and with it how long a reader can
// keep retention waiting.
const windowSize = 64 << 10

// place resolves an address: its segment, and where reading really goes on.
// That is elsewhere where a is the end of the old file, or is no longer (or
// never was) in the log: then it is the oldest byte left after it, and torn
// tells that no line may begin there. The caller holds the lock.
func (l *log) place(a Address) (s *segment, at Address, torn bool) {
	list := l.segments()
	for i, s := range list {
		if s.holds(a) && (i == len(list)-1 || a != s.end()) {
			return s, a, false
		}
		if a.Before(s.first()) || i == len(list)-1 {
			if i == len(list)-1 && !a.Before(s.first()) {
				break // beyond the end: it never was in this log
			}
			return s, s.first(), !s.Whole
		}
	}
	s = list[0]
	return s, s.first(), !s.Whole
}

// window returns what follows address a: keep, then at most windowSize bytes
// more, in room where that is large enough and in new memory otherwise. Where
// reading goes on elsewhere, nothing is read and at differs from a. At the end
// of what was written nothing is read and at is a; news is closed when
// there is more.
func (l *log) window(room, keep []byte, a Address) (buf []byte, at Address, torn bool, news <-chan struct{}, err error) {
	for {
		l.mu.RLock()
		s, at, torn := l.place(a)
		news := l.news
		if at != a || s.file == nil {
			l.mu.RUnlock()
			return keep, at, torn, news, nil
		}
		n := int(min(s.end().Off-a.Off, windowSize))
		if cap(room) < len(keep)+n {
			room = make([]byte, len(keep)+n)
		}
		buf := append(room[:0], keep...)[:len(keep)+n]
		got, err := s.file.ReadAt(buf[len(keep):], a.Off-s.Base)
		sound := s != &l.cur || l.intact()
		l.mu.RUnlock()
		if sound && got == n {
			return buf, at, false, news, nil
		}
		if sound {
			return keep, at, false, news, err
		}
		l.refresh(time.Now()) // truncated: another generation
	}
}

// reach returns the first and the last address of what can be read now.
func (l *log) reach() (first, end Address) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.first(), l.cur.end()
}

// atLineStart reports whether a line begins at a.
func (l *log) atLineStart(a Address) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	s, at, torn := l.place(a)
	if at != a {
		return !torn
	}
	off := a.Off - s.Base
	if off <= s.Start || s.file == nil {
		return s.Whole
	}
	var before [1]byte
	_, err := s.file.ReadAt(before[:], off-1)
	return err == nil && before[0] == '\n'
}

// pairAfter returns the pair that tells the time of a line at a, false where
// there is none yet.
func (l *log) pairAfter(a Address) (pair, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if !a.Before(l.times.last.end) {
		return pair{}, false
	}
	i := l.times.covering(a)
	list, err := l.times.read(i, 1)
	if err != nil || len(list) == 0 {
		return pair{}, false
	}
	return list[0], true
}
