package handlers

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/gorilla/mux"

	"tend/services"
	"tend/services/logs"
	"tend/views/model"
	"tend/views/partials"
)

const (
	// A page gets new lines at most every streamPace, and at most streamLines
	// of them: a reader sees no more, and a browser bears no more.
	streamPace  = 100 * time.Millisecond
	streamLines = 200
	// streamLag is how much may wait for a page before it is brought nearer to
	// the end, in bytes.
	streamLag  = 256 << 10
	streamBeat = 15 * time.Second // a sign of life on a silent stream
)

// streamLog sends what a server writes as server-sent events. The data of an
// event is HTML of whole lines, its id the address of what follows, by which a
// browser that was away goes on.
func (h *handler) streamLog(w http.ResponseWriter, r *http.Request) error {
	id := mux.Vars(r)["id"]
	if _, err := h.Control.Get(r.Context(), id); err != nil {
		return err
	}
	after := r.Header.Get("Last-Event-ID")
	if after == "" {
		after = r.URL.Query().Get("after")
	}
	query := logs.Query{Tail: -1, Follow: true, MaxLag: streamLag}
	stream := logStream{out: w, wire: http.NewResponseController(w)}
	if after == "" {
		query.Tail = shownLines
	} else {
		address, err := logs.ParseAddress(after)
		if err != nil {
			return err
		}
		query.After, stream.screen.next = address, address
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	lines := make(chan logs.Line, streamLines)
	failed := make(chan error, 1)
	go func() { // ends with ctx; waited for below
		defer close(lines)
		for line, err := range h.Logs.Read(ctx, id, query) {
			if err != nil {
				failed <- err
				return
			}
			select {
			case lines <- line:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() {
		cancel()
		for range lines { // until the goroutine has ended
		}
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	return stream.run(ctx, h.Ending, lines, failed)
}

// logStream is one page that follows a log.
type logStream struct {
	out    io.Writer
	wire   *http.ResponseController
	screen screen
	batch  []model.Line // of one event, to be used again
	buf    bytes.Buffer
}

// run sends lines until the page has gone or there will be no more. Errors
// that come once the stream has begun are only its end.
func (s *logStream) run(ctx context.Context, ending <-chan struct{}, lines <-chan logs.Line, failed <-chan error) error {
	if _, err := io.WriteString(s.out, "retry: 1000\n\n"); err != nil || s.wire.Flush() != nil {
		return nil
	}
	beat := time.NewTicker(streamBeat)
	defer beat.Stop()
	rest := time.NewTimer(streamPace)
	defer rest.Stop()
	for {
		select {
		case line, more := <-lines:
			if !more {
				return s.end(failed)
			}
			if s.send(line, lines) != nil {
				return nil
			}
		case <-beat.C:
			if _, err := io.WriteString(s.out, ": still here\n\n"); err != nil || s.wire.Flush() != nil {
				return nil
			}
			continue
		case <-ending:
			return nil
		case <-ctx.Done():
			return nil
		}
		rest.Reset(streamPace)
		select {
		case <-rest.C:
		case <-ending:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// send writes the line and all that are ready behind it as one event.
func (s *logStream) send(first logs.Line, more <-chan logs.Line) error {
	s.batch = append(s.batch[:0], s.screen.line(first))
	for len(s.batch) < streamLines && len(more) > 0 {
		line, open := <-more
		if !open {
			break
		}
		s.batch = append(s.batch, s.screen.line(line))
	}
	s.buf.Reset()
	s.buf.WriteString("id: " + s.screen.next.String() + "\ndata: ")
	if err := partials.Lines(s.batch).Render(context.Background(), &s.buf); err != nil {
		return err
	}
	s.buf.WriteString("\n\n")
	if _, err := s.out.Write(s.buf.Bytes()); err != nil {
		return err
	}
	return s.wire.Flush()
}

// end tells the page why there is no more, as a last line.
func (s *logStream) end(failed <-chan error) error {
	select {
	case err := <-failed:
		if services.KindOf(err) == services.Internal {
			return err
		}
		s.buf.Reset()
		s.buf.WriteString("data: ")
		var painter model.Painter
		line := painter.LineOf([]byte("tend: "+err.Error()), false, time.Time{})
		if partials.Lines([]model.Line{line}).Render(context.Background(), &s.buf) == nil {
			s.buf.WriteString("\n\n")
			s.out.Write(s.buf.Bytes()) //nolint:errcheck // the page may have gone
			s.wire.Flush()             //nolint:errcheck // the page may have gone
		}
	default:
	}
	return nil
}
