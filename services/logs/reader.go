package logs

import (
	"bytes"
	"context"
	"time"
)

// patienceForNewline is how long a follower waits for the rest of a line
// before it shows the beginning.
const patienceForNewline = 100 * time.Millisecond

// reader makes lines of windows. It belongs to one goroutine.
type reader struct {
	log    *log
	end    Address // lines that begin here or later are not read, zero when following
	follow bool
	maxLag int64
	ended  <-chan struct{}

	at   Address // where the line begins that is read now
	pos  Address // where buf begins
	buf  []byte  // read, not yet used
	torn bool    // the beginning of this line is gone
	head []byte  // of a line longer than MaxText; what follows is not kept
	long bool
	seen time.Time // when it was first waited for this line's newline
	room []byte    // reused while a long line is skipped

	stamp pair // tells the time of lines before its end
}

func (l *log) reader(at Address, torn bool) *reader {
	return &reader{log: l, at: at, pos: at, torn: torn}
}

// lines yields lines until the end, the first error, or until yield has
// enough.
func (r *reader) lines(ctx context.Context, yield func(Line) bool) error {
	for {
		for {
			line, ok := r.take()
			if !ok {
				break
			}
			if !yield(line) {
				return nil
			}
		}
		if !r.end.IsZero() && !r.at.Before(r.end) {
			return nil
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		more, err := r.more(ctx, yield)
		if err != nil || !more {
			return err
		}
	}
}

// take cuts the next whole line off the buffer.
func (r *reader) take() (Line, bool) {
	for {
		if !r.end.IsZero() && !r.at.Before(r.end) {
			return Line{}, false
		}
		i := bytes.IndexByte(r.buf, '\n')
		if i < 0 {
			r.gather()
			return Line{}, false
		}
		line := r.line(r.buf[:i:i], r.after(i+1))
		torn := r.torn
		r.next(line.Next, r.buf[i+1:])
		if !torn {
			return line, true
		}
	}
}

// gather keeps the beginning of a line that has grown too long, and forgets
// the rest.
func (r *reader) gather() {
	if !r.long && len(r.buf) <= MaxText {
		return
	}
	if !r.long {
		r.long, r.head = true, bytes.Clone(r.buf[:MaxText])
		r.room = make([]byte, windowSize)
	}
	r.pos, r.buf = r.after(len(r.buf)), nil
}

func (r *reader) after(n int) Address { return Address{r.pos.Gen, r.pos.Off + int64(n)} }

// line makes a line of what was gathered and the last piece of it.
func (r *reader) line(text []byte, next Address) Line {
	line := Line{Address: r.at, Next: next, Text: text}
	if r.long {
		line.Text, line.Cut = r.head, true
	} else if len(text) > MaxText {
		line.Text, line.Cut = text[:MaxText:MaxText], true
	}
	line.Text = r.log.hide(line.Text)
	line.At = r.time(line.Address)
	return line
}

// next goes to the line after.
func (r *reader) next(at Address, buf []byte) {
	if r.long {
		buf = bytes.Clone(buf) // room is about to be used again
	}
	r.at, r.pos, r.buf = at, at, buf
	r.torn, r.long, r.head, r.room, r.seen = false, false, nil, nil, time.Time{}
}

// time looks up when the line was noticed.
func (r *reader) time(a Address) time.Time {
	if !a.Before(r.stamp.end) {
		p, ok := r.log.pairAfter(a)
		if !ok {
			return time.Time{}
		}
		r.stamp = p
	}
	return r.stamp.time()
}

// more fills the buffer, or deals with whatever stands in the way. It returns
// false at the end.
func (r *reader) more(ctx context.Context, yield func(Line) bool) (bool, error) {
	for {
		r.skip()
		from := r.after(len(r.buf))
		if r.long && !r.end.IsZero() && !from.Before(r.end) {
			r.flush(yield) // a line without an end must not keep us for ever
			return false, nil
		}
		buf, at, torn, news, err := r.log.window(r.room, r.buf, from)
		if err != nil {
			return false, err
		}
		if at != from { // another file, or the head is gone
			ok := r.flush(yield)
			r.next(at, nil)
			r.torn = torn
			return ok, nil
		}
		if len(buf) > len(r.buf) {
			r.buf = buf
			return true, nil
		}
		if !r.follow {
			r.flush(yield)
			return false, nil
		}
		late, more, err := r.wait(ctx, news)
		if err != nil || !more || late && !r.flush(yield) {
			return false, err
		}
	}
}

// wait returns when there is more to read, when the present line has waited
// too long for its newline (late), or without more when following ends.
func (r *reader) wait(ctx context.Context, news <-chan struct{}) (late, more bool, err error) {
	var enough <-chan time.Time
	if r.unfinished() {
		if r.seen.IsZero() {
			r.seen = time.Now()
		}
		timer := time.NewTimer(max(0, time.Until(r.seen.Add(patienceForNewline))))
		defer timer.Stop()
		enough = timer.C
	}
	select {
	case <-news:
		return false, true, nil
	case <-enough:
		return true, true, nil
	case <-r.ended:
		return false, false, nil
	case <-ctx.Done():
		return false, false, ctx.Err()
	}
}

func (r *reader) unfinished() bool { return r.at != r.after(len(r.buf)) }

// flush yields the line that has no newline yet, if there is one.
func (r *reader) flush(yield func(Line) bool) bool {
	if !r.unfinished() {
		return true
	}
	line := r.line(r.buf, r.after(len(r.buf)))
	line.Partial = true
	line.Cut = line.Cut || r.torn
	r.next(line.Next, nil)
	return yield(line)
}

// skipTo is the share of what may wait for a reader that is left to it after it
// was overtaken: by the time it has shown more, that is old as well.
const skipTo = 8

// skip goes nearer the end where more waits than the caller wants to see.
func (r *reader) skip() {
	if r.maxLag <= 0 {
		return
	}
	_, end := r.log.reach()
	from := r.after(len(r.buf))
	if end.Gen == from.Gen && end.Off-from.Off > r.maxLag {
		r.next(Address{end.Gen, end.Off - r.maxLag/skipTo}, nil)
		r.torn = !r.log.atLineStart(r.at)
	}
}
