package remote

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"iter"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tend/services"
)

// Watch implements services.Control; the position Now is taken when the
// iteration begins. When the connection breaks it goes on where it was as soon
// as a manager answers again, and yields an error of kind Unavailable when
// none does for some seconds.
func (c *Client) Watch(ctx context.Context, after uint64) iter.Seq2[services.Event, error] {
	return func(yield func(services.Event, error) bool) {
		s := stream{client: c, at: after}
		for {
			broken, more := s.follow(ctx, yield)
			if !more || ctx.Err() != nil {
				return
			}
			if err := s.reconnect(ctx, broken); err != nil {
				if ctx.Err() == nil {
					yield(services.Event{}, err)
				}
				return
			}
		}
	}
}

// stream is one subscription across its connections.
type stream struct {
	client *Client
	at     uint64 // the id of the last event seen
	body   io.ReadCloser
	missed bool // the connection broke before anything told where we are
}

// follow yields what comes over one connection. It returns false when nobody
// wants more, and otherwise why the connection broke.
func (s *stream) follow(ctx context.Context, yield func(services.Event, error) bool) (broken error, more bool) {
	if s.body == nil {
		if err := s.open(ctx); err != nil {
			if ctx.Err() == nil {
				yield(services.Event{}, err)
			}
			return nil, false
		}
	}
	defer s.close()
	if s.missed {
		s.missed = false
		reset := services.Event{At: services.Time{Time: time.Now()}, Kind: services.EventReset, Message: "events may have been missed: list again"}
		if !yield(reset, nil) {
			return nil, false
		}
	}
	lines := bufio.NewReader(s.body)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			s.missed = s.at == services.Now
			return err, true
		}
		if id, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "id: "); ok && s.at == services.Now {
			if at, err := strconv.ParseUint(id, 10, 63); err == nil {
				s.at = at // where it begins, before any event
			}
		}
		data, ok := strings.CutPrefix(line, "data: ")
		if !ok {
			continue
		}
		var e services.Event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			yield(services.Event{}, &services.Error{Kind: services.Internal, Msg: "an event of the manager cannot be read", Err: err})
			return nil, false
		}
		s.at = e.ID
		if !yield(e, nil) {
			return nil, false
		}
	}
}

// open subscribes after the last event seen.
func (s *stream) open(ctx context.Context) error {
	q := request{method: http.MethodGet, path: "/api/events"}
	if s.at != services.Now {
		q.lastEvent = strconv.FormatUint(s.at, 10)
	}
	res, err := s.client.call(ctx, q)
	if err != nil {
		return err
	}
	s.body = res.Body
	return nil
}

func (s *stream) close() {
	s.body.Close()
	s.body = nil
}

// reconnect subscribes again once somebody answers.
func (s *stream) reconnect(ctx context.Context, broken error) error {
	last := &services.Error{Kind: services.Unavailable, Msg: "the stream of events broke off", Err: broken}
	return s.client.again(ctx, last, s.open)
}

// again opens a stream that broke once somebody answers. Nothing tells when
// that is, so it tries, at growing distances; when patience ends it returns
// the last error.
func (c *Client) again(ctx context.Context, last error, open func(context.Context) error) error {
	c.notice(true)
	enough := time.NewTimer(c.patience)
	defer enough.Stop()
	for pause := 10 * time.Millisecond; ; pause = min(2*pause, time.Second) {
		next := time.NewTimer(pause)
		select {
		case <-next.C:
		case <-enough.C:
			next.Stop()
			return last
		case <-ctx.Done():
			next.Stop()
			return ctx.Err()
		}
		err := open(ctx)
		if err == nil {
			c.notice(false)
		}
		if err == nil || services.KindOf(err) != services.Unavailable {
			return err
		}
		last = err
	}
}
