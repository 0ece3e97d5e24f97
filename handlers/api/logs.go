package api

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gorilla/mux"

	"tend/services"
	"tend/services/logs"
)

const (
	// defaultTail is how many lines a follower sees of what was before.
	defaultTail = 100
	// grepTime is how long a search through a log may take.
	grepTime = 30 * time.Second
)

// StreamLog sends a server's output as plain text, byte for byte, but for
// lines that are too long.
func (a *API) StreamLog(w http.ResponseWriter, r *http.Request) error {
	p, err := params(r, "tail", "since", "after", "grep", "follow")
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
	if q.Grep != nil && !q.Follow {
		var end context.CancelFunc
		ctx, end = context.WithTimeout(ctx, grepTime)
		defer end()
	}
	w.Header().Set("Cache-Control", "no-store")
	out := bufio.NewWriterSize(w, 64<<10)
	write, form := (&printer{out: out}).line, "text/plain; charset=utf-8"
	if accepts(r, ndjson) {
		write, form = (&objects{out: out}).line, ndjson
		q.Place = q.Follow // so that one who has seen no line yet can come back, too
	}
	w.Header().Set("Content-Type", form)
	if q.Follow {
		return a.follow(ctx, w, out, write, name, q)
	}
	for line, err := range a.Logs.Read(ctx, name, q) {
		if err != nil {
			return err // with a status of its own, unless much has been sent
		}
		if write(line) != nil {
			return nil // the client has gone
		}
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) { // what was found must not pass for all
		return services.Errorf(services.Unavailable, "the search took longer than %v: narrow it with since, or write a simpler pattern", grepTime)
	}
	out.Flush() //nolint:errcheck // the client has gone
	return nil
}

// logQuery: a follower gets the last lines first, everybody else all of them,
// unless something else is asked for.
func (v values) logQuery(now time.Time) (q logs.Query, err error) {
	if q.Follow, err = v.truth("follow"); err != nil {
		return q, err
	}
	if q.Since, err = v.instant("since", now); err != nil {
		return q, err
	}
	if q.Grep, err = v.grep(); err != nil {
		return q, err
	}
	if text := v.text("after"); text != "" {
		if q.After, err = logs.ParseAddress(text); err != nil {
			return q, err
		}
	}
	otherwise := -1
	if q.Follow && q.Since.IsZero() && q.After.IsZero() {
		otherwise = defaultTail
	}
	q.Tail, err = v.number("tail", 0, otherwise)
	return q, err
}

// follow sends lines as they come, all that are ready at a time.
func (a *API) follow(ctx context.Context, w http.ResponseWriter, out *bufio.Writer, write func(logs.Line) error, name string, q logs.Query) error {
	lines, stop := pump(ctx, func(ctx context.Context) iter.Seq2[logs.Line, error] {
		return a.Logs.Read(ctx, name, q)
	})
	defer stop()
	wire := http.NewResponseController(w)
	if wire.Flush() != nil {
		return nil // the client has gone
	}
	for next := range lines {
		if next.err != nil {
			out.Flush()  //nolint:errcheck // the error that counts is on its way
			wire.Flush() //nolint:errcheck // likewise
			return next.err
		}
		err := write(next.value)
		if err == nil && len(lines) == 0 {
			if err = out.Flush(); err == nil {
				err = wire.Flush()
			}
		}
		if err != nil {
			return nil // the client has gone
		}
	}
	return nil
}

// ndjson is the form in which each line is an object.
const ndjson = "application/x-ndjson"

// accepts reports whether the client names a media type as one that it takes.
func accepts(r *http.Request, form string) bool {
	for _, part := range strings.Split(r.Header.Get("Accept"), ",") {
		name, _, _ := strings.Cut(part, ";")
		if strings.EqualFold(strings.TrimSpace(name), form) {
			return true
		}
	}
	return false
}

// objects writes lines as JSON objects. Not for concurrent use.
type objects struct {
	out *bufio.Writer
	buf []byte
}

func (o *objects) line(line logs.Line) error {
	b := append(o.buf[:0], `{"address":"`...)
	b = append(append(b, line.Address.String()...), `","next":"`...)
	b = append(append(b, line.Next.String()...), `","at":`...)
	b = appendTime(b, line.At)
	b = appendString(append(b, `,"text":`...), string(line.Text))
	if !utf8.Valid(line.Text) {
		b = append(b, `,"raw":"`...)
		b = append(base64.StdEncoding.AppendEncode(b, line.Text), '"')
	}
	b = strconv.AppendBool(append(b, `,"cut":`...), line.Cut)
	b = strconv.AppendBool(append(b, `,"partial":`...), line.Partial)
	o.buf = append(b, '}', '\n')
	_, err := o.out.Write(o.buf)
	return err
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
