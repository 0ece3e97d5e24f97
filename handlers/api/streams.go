package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/gorilla/mux"

	"tend/services"
	"tend/services/logs"
)

const (
	heartbeat  = 15 * time.Second // a comment on a silent stream, so that both ends notice when the other is gone
	retryPause = time.Second      // what a browser is told to wait before it comes back
)

// streamed ends the context of a stream when its client or the manager ends.
func (a *API) streamed(r *http.Request) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(r.Context())
	if a.Ending == nil {
		return ctx, cancel
	}
	go func() {
		select {
		case <-a.Ending:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// streamEvents sends events as they happen, as server-sent events. A client
// that returns names the last one that it has seen.
func (a *API) streamEvents(w http.ResponseWriter, r *http.Request) error {
	if _, err := query(r); err != nil {
		return err
	}
	after := uint64(services.Now)
	if text := r.Header.Get("Last-Event-ID"); text != "" {
		var err error
		if after, err = strconv.ParseUint(text, 10, 64); err != nil {
			return services.Errorf(services.Invalid, "Last-Event-ID %q is not a number", text)
		}
	}
	ctx, cancel := a.streamed(r)
	defer cancel()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	fmt.Fprintf(w, "retry: %d\n\n", retryPause.Milliseconds())
	if err := out.Flush(); err != nil {
		return err
	}
	events := make(chan services.Event)
	go func() {
		defer close(events)
		for e, err := range a.Control.Watch(ctx, after) {
			if err != nil {
				return
			}
			select {
			case events <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	defer func() {
		cancel()
		for range events { // wait for the goroutine
		}
	}()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		var err error
		select {
		case e, ok := <-events:
			if !ok {
				return nil
			}
			err = writeEvent(w, e)
		case <-beat.C:
			_, err = fmt.Fprint(w, ": still here\n\n")
		}
		if err == nil && len(events) == 0 {
			err = out.Flush()
		}
		if err != nil {
			return nil // the client has gone
		}
	}
}

func writeEvent(w http.ResponseWriter, e services.Event) error {
	data, err := json.Marshal(e)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", e.ID, e.Kind, data)
	return err
}

// defaultTail is how many lines a follower sees of what was before.
const defaultTail = 100

// readLogs sends a server's output as plain text.
func (a *API) readLogs(w http.ResponseWriter, r *http.Request) error {
	values, err := query(r, "tail", "since", "grep", "follow")
	if err != nil {
		return err
	}
	name := mux.Vars(r)["id"]
	if _, err := a.Control.Get(r.Context(), name); err != nil {
		return err
	}
	q := logs.Query{Tail: -1}
	if q.Follow, err = truth(values, "follow"); err != nil {
		return err
	}
	if q.Follow {
		q.Tail = defaultTail
	}
	if text := values.Get("tail"); values.Has("tail") {
		if q.Tail, err = strconv.Atoi(text); err != nil || q.Tail < 0 {
			return services.Errorf(services.Invalid, "tail=%s: write how many lines, such as 100", text)
		}
	}
	if text := values.Get("since"); values.Has("since") {
		if q.Since, err = since(text, time.Now()); err != nil {
			return err
		}
		if !values.Has("tail") {
			q.Tail = -1
		}
	}
	if text := values.Get("grep"); text != "" {
		if q.Grep, err = regexp.Compile(text); err != nil {
			return services.Errorf(services.Invalid, "grep=%s is not a regular expression: %v", text, err)
		}
	}
	ctx, cancel := a.streamed(r)
	defer cancel()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	return writeLines(ctx, w, a.Logs, name, q)
}

// writeLines writes what the query selects; once the first byte is out an
// error can only end the stream.
func writeLines(ctx context.Context, w http.ResponseWriter, from Logs, name string, q logs.Query) error {
	out := http.NewResponseController(w)
	if q.Follow {
		if err := out.Flush(); err != nil {
			return err
		}
	}
	begun := false
	for line, err := range from.Read(ctx, name, q) {
		if err != nil {
			if !begun && ctx.Err() == nil && !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		}
		begun = true
		text := line.Text
		if !line.Partial {
			text = append(text[:len(text):len(text)], '\n')
		}
		if _, err := w.Write(text); err != nil {
			return nil // the client has gone
		}
		if q.Follow {
			if out.Flush() != nil {
				return nil
			}
		}
	}
	return nil
}

// since reads an instant (RFC 3339) or an age such as 10m.
func since(text string, now time.Time) (time.Time, error) {
	if age, err := time.ParseDuration(text); err == nil && age >= 0 {
		return now.Add(-age), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, services.Errorf(services.Invalid, "since=%s: write an age such as 10m, or a time such as %s", text, now.UTC().Format(time.RFC3339))
	}
	return at, nil
}
