package api

import (
	"bufio"
	"context"
	"fmt"
	"iter"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"tend/services/logs"
)

// defaultTail is how many lines a follower sees of what was before.
const defaultTail = 100

// StreamLog sends a server's output as plain text, byte for byte, but for
// lines that are too long.
func (a *API) StreamLog(w http.ResponseWriter, r *http.Request) error {
	p, err := params(r, "tail", "since", "grep", "follow")
	if err != nil {
		return err
	}
	q, err := p.logQuery(time.Now())
	if err != nil {
		return err
	}
	name := mux.Vars(r)["id"]
	if _, err := a.Control.Get(r.Context(), name); err != nil {
		return err
	}
	ctx, cancel := a.until(r)
	defer cancel()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if q.Follow {
		return a.follow(ctx, w, name, q)
	}
	text := printer{out: bufio.NewWriterSize(w, 64<<10)}
	for line, err := range a.Logs.Read(ctx, name, q) {
		if err != nil {
			return err // with a status of its own, unless much has been sent
		}
		if text.line(line) != nil {
			return nil // the client has gone
		}
	}
	text.out.Flush() //nolint:errcheck // the client has gone
	return nil
}

// logQuery: a follower gets the last lines first, everybody else all of them,
// unless something else is asked for.
func (v values) logQuery(now time.Time) (q logs.Query, err error) {
	if q.Follow, err = v.truth("follow"); err != nil {
		return q, err
	}
	if q.Since, err = v.since(now); err != nil {
		return q, err
	}
	if q.Grep, err = v.grep(); err != nil {
		return q, err
	}
	otherwise := -1
	if q.Follow && q.Since.IsZero() {
		otherwise = defaultTail
	}
	q.Tail, err = v.number("tail", 0, otherwise)
	return q, err
}

// follow sends lines as they come, all that are ready at a time.
func (a *API) follow(ctx context.Context, w http.ResponseWriter, name string, q logs.Query) error {
	lines, stop := pump(ctx, func(ctx context.Context) iter.Seq2[logs.Line, error] {
		return a.Logs.Read(ctx, name, q)
	})
	defer stop()
	text := printer{out: bufio.NewWriterSize(w, 64<<10)}
	wire := http.NewResponseController(w)
	if wire.Flush() != nil {
		return nil // the client has gone
	}
	for next := range lines {
		if next.err != nil {
			text.out.Flush() //nolint:errcheck // the error that counts is on its way
			wire.Flush()     //nolint:errcheck // likewise
			return next.err
		}
		err := text.line(next.value)
		if err == nil && len(lines) == 0 {
			if err = text.out.Flush(); err == nil {
				err = wire.Flush()
			}
		}
		if err != nil {
			return nil // the client has gone
		}
	}
	return nil
}

// printer writes lines as they were written. Not for concurrent use.
type printer struct {
	out  *bufio.Writer
	open bool         // the last line has no newline yet
	next logs.Address // where the last line ended
}

func (p *printer) line(line logs.Line) error {
	if p.open && line.Address != p.next { // its rest is gone
		p.out.WriteByte('\n') //nolint:errcheck // the writer keeps its first error
	}
	p.out.Write(line.Text) //nolint:errcheck // the writer keeps its first error
	if line.Cut {
		fmt.Fprintf(p.out, " [cut after %d kB]", len(line.Text)>>10)
	}
	p.open, p.next = line.Partial, line.Next
	if line.Partial {
		return nil
	}
	return p.out.WriteByte('\n')
}
