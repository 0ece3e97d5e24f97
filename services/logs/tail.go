package logs

import (
	"bytes"
	"context"
	"math"
	"regexp"
)

// tail returns where the last n lines before end begin, not before from, or
// the fewer that fit into so many bytes, 0 for no bound. It reads backwards,
// and only as far as it has to.
func (l *log) tail(from, end Address, n int, bytes int64) (at Address, torn bool) {
	if n <= 0 {
		return end, false
	}
	room := make([]byte, windowSize)
	l.mu.RLock()
	list := l.segments()
	l.mu.RUnlock()
	if bytes <= 0 {
		bytes = math.MaxInt64
	}
	for i := len(list) - 1; i >= 0; i-- {
		var done bool
		if at, torn, n, bytes, done = l.tailOf(list[i], room, from, end, n, bytes); done {
			return at, torn
		}
	}
	return at, torn
}

// tailOf is tail within one file. It returns how many lines, and bytes, are
// still to be found before it.
func (l *log) tailOf(s *segment, room []byte, from, end Address, n int, size int64) (at Address, torn bool, left int, rest int64, done bool) {
	l.mu.RLock()
	low, high := s.first(), s.end()
	l.mu.RUnlock()
	if end.Before(high) {
		high = end
	}
	if low.Before(from) {
		low = from
	}
	found := Address{} // where the earliest line begins that fits
	last := true       // the newline that ends the last line begins none
	for pos := high; low.Before(pos); {
		buf, start, ok := l.before(s, room, low, pos)
		if !ok {
			at, torn, n, done = l.oldest(from, n)
			return at, torn, n, size, done
		}
		for i := len(buf); i > 0; {
			i = bytes.LastIndexByte(buf[:i], '\n')
			if i < 0 {
				break
			}
			line := Address{start.Gen, start.Off + int64(i) + 1}
			if last && line == high {
				last = false
				continue
			}
			if !found.IsZero() && high.Off-line.Off > size {
				return found, false, 0, 0, true
			}
			found = line
			if n--; n == 0 {
				return line, false, 0, 0, true
			}
		}
		last, pos = false, start
	}
	whole := low == from || l.atLineStart(low)
	if low.Before(high) {
		if !found.IsZero() && high.Off-low.Off > size {
			return found, false, 0, 0, true
		}
		if size -= high.Off - low.Off; whole {
			n--
		}
	}
	return low, !whole, n, size, n <= 0 || size <= 0 || low == from
}

// oldest ends a search that was overtaken by retention.
func (l *log) oldest(from Address, n int) (Address, bool, int, bool) {
	first, _ := l.reach()
	if first.Before(from) {
		return from, false, n, true
	}
	return first, !l.atLineStart(first), n, true
}

// before reads a window that ends at pos and begins no earlier than low.
func (l *log) before(s *segment, room []byte, low, pos Address) (buf []byte, start Address, ok bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	start = Address{pos.Gen, max(low.Off, pos.Off-windowSize)}
	if s.file == nil || !s.holds(start) || !s.holds(pos) {
		return nil, start, false
	}
	buf = room[:pos.Off-start.Off]
	_, err := s.file.ReadAt(buf, start.Off-s.Base)
	return buf, start, err == nil
}

// grepTail is tail for the lines that match: it searches pieces from the end,
// each larger than the one before.
func (l *log) grepTail(ctx context.Context, from, end Address, n int, grep *regexp.Regexp) (Address, bool, error) {
	if n <= 0 {
		return end, false, nil
	}
	for size, high := int64(4*windowSize), end; ; size *= 2 {
		low, torn, bottom := l.pieceBefore(from, high, size)
		found, first, err := l.matches(ctx, low, torn, high, n, grep)
		if err != nil {
			return low, torn, err
		}
		if len(found) >= n {
			return found[len(found)-n], false, nil
		}
		if bottom {
			return low, torn, nil
		}
		if first.Before(high) { // else one line fills the piece: take a larger one
			n, high = n-len(found), first
		}
	}
}

// pieceBefore returns where a piece of the size that ends at high begins.
func (l *log) pieceBefore(from, high Address, size int64) (low Address, torn, bottom bool) {
	l.mu.RLock()
	list := l.segments()
	low = list[0].first()
	for _, s := range list {
		if s.first().Before(high) {
			low = s.first()
		}
	}
	first := list[0].first()
	if low.Gen != high.Gen {
		for _, s := range list {
			if s.Gen == low.Gen {
				high = s.end()
			}
		}
	}
	l.mu.RUnlock()
	if high.Off-size > low.Off {
		low = Address{high.Gen, high.Off - size}
	}
	if !from.Before(low) {
		return from, false, true
	}
	return low, !l.atLineStart(low), !first.Before(low)
}

// matches returns the last n or more lines between low and high that match,
// and where the first line begins, matching or not; high where none does.
func (l *log) matches(ctx context.Context, low Address, torn bool, high Address, n int, grep *regexp.Regexp) (found []Address, first Address, err error) {
	first = high
	r := l.reader(low, torn)
	r.end = high
	err = r.lines(ctx, func(line Line) bool {
		if line.Address.Before(first) {
			first = line.Address
		}
		if grep.Match(line.Text) {
			if len(found) >= 2*n {
				found = append(found[:0], found[len(found)-n:]...)
			}
			found = append(found, line.Address)
		}
		return true
	})
	return found, first, err
}
