package remote

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/url"

	"tend/services"
)

// LogLine is one line of a server's output, see the contract of the REST call.
type LogLine struct {
	Address string        `json:"address"`
	Next    string        `json:"next"`
	At      services.Time `json:"at"`
	Text    string        `json:"text"`
	Raw     []byte        `json:"raw,omitempty"` // as it was written, where that is no text
	Cut     bool          `json:"cut"`
	Partial bool          `json:"partial"`
}

// Bytes returns the line as it was written.
func (l LogLine) Bytes() []byte {
	if l.Raw != nil {
		return l.Raw
	}
	return []byte(l.Text)
}

// Lines yields a server's output; the query is that of the REST call. When a
// connection that follows breaks, it goes on at the very next line as soon as a
// manager answers again, and yields an error of kind Unavailable when none does
// for some seconds. NotFound, Invalid.
func (c *Client) Lines(ctx context.Context, name string, query url.Values) iter.Seq2[LogLine, error] {
	return func(yield func(LogLine, error) bool) {
		s := lineStream{client: c, name: name, query: url.Values{}}
		maps.Copy(s.query, query)
		err := s.open(ctx)
		for err == nil {
			broken, more := s.read(yield)
			if !more || ctx.Err() != nil {
				return
			}
			err = s.client.again(ctx, &services.Error{Kind: services.Unavailable, Msg: "the log broke off", Err: broken}, s.open)
		}
		if ctx.Err() == nil {
			yield(LogLine{}, err)
		}
	}
}

// lineStream is one reading of a log across its connections.
type lineStream struct {
	client *Client
	name   string
	query  url.Values // moves on with what was read
	body   io.ReadCloser
}

func (s *lineStream) open(ctx context.Context) error {
	path, err := pathOf(s.name)
	if err != nil {
		return err
	}
	res, err := s.client.call(ctx, request{method: http.MethodGet, path: path + "/logs", query: s.query, accept: "application/x-ndjson"})
	if err != nil {
		return err
	}
	s.body = res.Body
	return nil
}

// read yields what comes over one connection. It returns false when nobody
// wants more or there is no more, and otherwise why the connection broke.
func (s *lineStream) read(yield func(LogLine, error) bool) (broken error, more bool) {
	defer s.body.Close()
	lines := json.NewDecoder(s.body)
	for {
		var line LogLine
		if err := lines.Decode(&line); err != nil {
			return err, s.query.Get("follow") == "true" || !errors.Is(err, io.EOF)
		}
		s.query.Set("after", line.Next)
		s.query.Del("tail") // what was asked of the past has been answered
		s.query.Del("since")
		if line.Partial && len(line.Bytes()) == 0 {
			continue // it only says where the answer begins
		}
		if !yield(line, nil) {
			return nil, false
		}
	}
}
