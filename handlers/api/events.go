package api

import (
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"time"

	"tend/services"
)

const (
	heartbeat  = 15 * time.Second // a comment on a silent stream, so that both ends notice when the other is gone
	retryPause = time.Second      // what a browser is told to wait before it comes back
)

// StreamEvents sends events as they happen, as server-sent events. A client
// that returns names the last one that it has seen.
func (a *API) StreamEvents(w http.ResponseWriter, r *http.Request) error {
	p, err := params(r, "after")
	if err != nil {
		return err
	}
	after, err := position(r, p)
	if err != nil {
		return err
	}
	if after == services.Now && a.Position != nil {
		after = a.Position()
	}
	ctx, cancel := a.until(r)
	defer cancel()
	events, stop := pump(ctx, func(ctx context.Context) iter.Seq2[services.Event, error] {
		return a.Control.Watch(ctx, after)
	})
	defer stop()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	out := http.NewResponseController(w)
	fmt.Fprintf(w, "retry: %d\n", retryPause.Milliseconds())
	if after != services.Now { // so that one who has seen no event yet can come back, too
		fmt.Fprintf(w, "id: %d\n", after)
	}
	io.WriteString(w, "\n") //nolint:errcheck // Flush says it
	if out.Flush() != nil {
		return nil // the client has gone
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		var err error
		select {
		case e, more := <-events:
			switch {
			case !more:
				return nil
			case e.err != nil:
				return e.err
			}
			err = writeEvent(w, e.value)
			if len(events) > 0 {
				continue // they go out together
			}
		case <-beat.C:
			_, err = io.WriteString(w, ": still here\n\n")
		}
		if err != nil || out.Flush() != nil {
			return nil // the client has gone
		}
	}
}

// position is where the stream begins: a browser that reconnects says it in a
// header, which wins over the address that it was first given.
func position(r *http.Request, p values) (uint64, error) {
	name, text := "Last-Event-ID", r.Header.Get("Last-Event-ID")
	if text == "" {
		name, text = "after", p.text("after")
	}
	if text == "" {
		return services.Now, nil
	}
	after, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, bad(name, text, "the id of an event")
	}
	return after, nil
}

func writeEvent(w io.Writer, e services.Event) error {
	_, err := fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", e.ID, e.Kind, appendEvent(nil, &e))
	return err
}
