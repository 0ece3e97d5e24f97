package handlers

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"tend/services"
	"tend/services/logs"
	"tend/views/model"
	"tend/views/partials"
)

// followLogs sends what servers write from a place on, as server-sent events.
// The data of an event is HTML of whole lines, its id the place after them.
func (h *handler) followLogs(w http.ResponseWriter, r *http.Request) error {
	v, err := h.viewOf(r)
	if err != nil {
		return err
	}
	after := r.Header.Get("Last-Event-ID")
	if after == "" {
		after = r.URL.Query().Get("after")
	}
	if len(v.servers) == 0 || after == "" {
		return services.Errorf(services.Invalid, "say of which servers, and from where on: write server=NAME&after=PLACE")
	}
	at, err := h.cursor(r.Context(), v, after)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(r.Context())
	lines := make(chan found, streamLines)
	var readers sync.WaitGroup
	for i := range at {
		readers.Go(func() { h.followOne(ctx, v, i, at[i], lines) })
	}
	defer func() {
		cancel()
		readers.Wait()
	}()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	f := follower{view: v, out: w, wire: http.NewResponseController(w), screen: v.screen(), at: at}
	copy(f.screen.next, at)
	for i, a := range f.screen.next {
		if a == atBegin {
			f.screen.next[i] = logs.Address{}
		}
	}
	f.run(ctx, h.Ending, lines)
	return nil
}

// followOne reads one log until ctx ends or there will be no more.
func (h *handler) followOne(ctx context.Context, v *logView, log int, at logs.Address, to chan<- found) {
	var levels model.Leveler
	for line, err := range h.Logs.Read(ctx, v.servers[log], logs.Query{Tail: -1, After: at, Follow: true, MaxLag: streamLag}) {
		if err != nil {
			line = logs.Line{Address: at, Next: at, Text: []byte("tend: " + err.Error())}
		}
		at = line.Next
		select {
		case to <- found{Line: line, log: log, key: line.At, pass: err != nil || v.passes(line.Text, &levels)}:
		case <-ctx.Done():
			return
		}
	}
}

// follower is one page that follows some logs.
type follower struct {
	view   *logView
	out    io.Writer
	wire   *http.ResponseController
	screen *entries
	at     cursor
	batch  []found // of one event, to be used again
	buf    bytes.Buffer
}

// run sends lines until the page has gone or streams have to end.
func (f *follower) run(ctx context.Context, ending <-chan struct{}, lines <-chan found) {
	if !f.send("retry: 1000\n\n") {
		return
	}
	beat := time.NewTicker(streamBeat)
	defer beat.Stop()
	rest := time.NewTimer(streamPace)
	defer rest.Stop()
	for {
		select {
		case line := <-lines:
			if !f.lines(line, lines) {
				return
			}
		case <-beat.C:
			if !f.send(": still here\n\n") {
				return
			}
			continue
		case <-ending:
			return
		case <-ctx.Done():
			return
		}
		rest.Reset(streamPace)
		select {
		case <-rest.C:
		case <-ending:
			return
		case <-ctx.Done():
			return
		}
	}
}

// lines sends a line and all that are ready behind it as one event, those of
// several logs in the order of time.
func (f *follower) lines(first found, more <-chan found) bool {
	f.batch = append(f.batch[:0], first)
	for len(f.batch) < streamLines && len(more) > 0 {
		f.batch = append(f.batch, <-more)
	}
	slices.SortStableFunc(f.batch, func(a, b found) int { return a.key.Compare(b.key) })
	var shown []model.Entry
	for _, line := range f.batch {
		f.at[line.log] = line.Next
		if line.pass {
			shown = append(shown, f.screen.entry(line.log, line.Line))
		}
	}
	if len(shown) == 0 {
		return true
	}
	f.buf.Reset()
	f.buf.WriteString("id: " + f.at.text(f.view) + "\ndata: ")
	if partials.Entries(shown).Render(context.Background(), &f.buf) != nil {
		return false
	}
	f.buf.WriteString("\n\n")
	return f.send(f.buf.String())
}

func (f *follower) send(text string) bool {
	_, err := io.WriteString(f.out, text)
	return err == nil && f.wire.Flush() == nil
}
