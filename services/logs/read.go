package logs

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"time"

	"tend/services"
)

// Read yields the lines of a server's log that the query selects, in order,
// and with Follow the new ones until ctx or Run ends. An error is the last
// that is yielded; that ctx ended is none. A server that never wrote has no lines.
//
// A last line without newline is yielded with Partial set. A follower waits a
// moment for its newline first, then yields what is there; the rest is
// a Line of its own, which begins at the Next of the one before, so that no
// byte is yielded twice. The same goes for a longer Text than MaxText, which is cut.
//
// Following goes on across retention, truncation and the server's next run.
// Who reads more slowly than the server writes, and is overtaken by retention,
// goes on at the oldest line that is left.
func (s *Store) Read(ctx context.Context, server string, q Query) iter.Seq2[Line, error] {
	return func(yield func(Line, error) bool) {
		l, err := s.readable(server, q)
		if l == nil {
			if err != nil {
				yield(Line{}, err)
			}
			return
		}
		if q.Follow {
			l.followers.Add(1)
			defer l.followers.Add(-1)
			s.rouse(l)
		}
		err = s.read(ctx, l, q, func(line Line) bool { return yield(line, nil) })
		if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
			yield(Line{}, &services.Error{Kind: services.Unavailable, Msg: fmt.Sprintf("the log of %s cannot be read", server), Err: err})
		}
	}
}

// readable returns nil where there is nothing to read and nothing to wait for.
func (s *Store) readable(server string, q Query) (*log, error) {
	if !q.Follow && services.ValidName(server) && !s.has(server) {
		return nil, nil
	}
	return s.log(server)
}

// has reports whether the server ever wrote, as far as anybody knows.
func (s *Store) has(server string) bool {
	s.mu.Lock()
	known := s.logs[server] != nil
	s.mu.Unlock()
	path := filepath.Join(s.options.Dir, server+".log")
	for _, p := range []string{path, path + ".1"} {
		if _, err := os.Lstat(p); !os.IsNotExist(err) {
			known = true
		}
	}
	return known
}

func (s *Store) read(ctx context.Context, l *log, q Query, yield func(Line) bool) error {
	l.refresh(time.Now())
	r, err := l.seek(ctx, q)
	if err != nil {
		return err
	}
	r.ended = s.ended
	if q.Place && !yield(Line{Address: r.at, Next: r.at, Partial: true}) {
		return nil
	}
	return r.lines(ctx, func(line Line) bool {
		if q.Grep != nil && !q.Grep.Match(line.Text) {
			return true
		}
		return yield(line)
	})
}

// seek finds where the answer to a query begins.
func (l *log) seek(ctx context.Context, q Query) (*reader, error) {
	if !q.Run.IsZero() {
		q = l.within(q)
	}
	from, end := l.reach()
	torn := !l.atLineStart(from)
	if !q.Before.IsZero() && q.Before.Before(end) {
		end = q.Before
	}
	if !q.Since.IsZero() {
		l.mu.RLock()
		since, ok := l.times.since(q.Since)
		l.mu.RUnlock()
		if ok && from.Before(since) {
			from, torn = since, !l.atLineStart(since)
		}
	}
	if from.Before(q.After) && !end.Before(q.After) {
		from, torn = q.After, false
	}
	if q.Tail >= 0 {
		at, cut, err := Address{}, false, error(nil)
		if q.Grep == nil {
			at, cut = l.tail(from, end, q.Tail, q.Bytes)
		} else if at, cut, err = l.grepTail(ctx, from, end, q.Tail, q.Grep); err != nil {
			return nil, err
		}
		if from.Before(at) {
			from, torn = at, cut
		}
	}
	r := l.reader(from, torn)
	if q.Follow && q.Before.IsZero() {
		r.follow, r.maxLag = true, q.MaxLag
	} else {
		r.end = end
	}
	return r, nil
}
