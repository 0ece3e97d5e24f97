// Package remote is Control over REST: what the command line speaks to a
// manager through its unix socket.
package remote

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tend/services"
)

// Client speaks to one manager. Use New. Everybody may call its methods.
type Client struct {
	socket string
	http   *http.Client
}

// New returns a client of the manager behind a unix socket. It connects at the
// first call.
func New(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &Client{socket: socket, http: &http.Client{Transport: &http.Transport{DialContext: dial, MaxIdleConnsPerHost: 2}}}
}

// Close ends the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// NoManager is the error of every call while no manager answers.
type NoManager struct{ Socket string }

// Error returns a sentence that says what to do.
func (e *NoManager) Error() string {
	return "no manager is running here (nobody answers at " + e.Socket + "): start it with `tend serve`"
}

// call sends a request and returns its answer, or the error that the other
// side had.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, header http.Header) (*http.Response, error) {
	target := url.URL{Scheme: "http", Host: "localhost", Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, method, target.String(), nil)
	if err != nil {
		return nil, err
	}
	for key, values := range header {
		req.Header[key] = values
	}
	res, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			return nil, &services.Error{Kind: services.Unavailable, Msg: (&NoManager{c.socket}).Error(), Err: &NoManager{c.socket}}
		}
		return nil, &services.Error{Kind: services.Unavailable, Msg: "the manager did not answer", Err: err}
	}
	if res.StatusCode < 300 {
		return res, nil
	}
	defer res.Body.Close()
	var answer struct {
		Message string        `json:"message"`
		Kind    services.Kind `json:"kind"`
	}
	text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if json.Unmarshal(text, &answer) != nil || answer.Kind == "" {
		return nil, services.Errorf(services.Internal, "the manager answered %s: %s", res.Status, bytes.TrimSpace(text))
	}
	return nil, services.Errorf(answer.Kind, "%s", answer.Message)
}

// get reads a JSON value.
func (c *Client) get(ctx context.Context, path string, into any) error {
	res, err := c.call(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		return fmt.Errorf("read the manager's answer: %w", err)
	}
	return nil
}

// List implements services.Control.
func (c *Client) List(ctx context.Context) (list []services.Status, err error) {
	return list, c.get(ctx, "/api/servers", &list)
}

// Get implements services.Control.
func (c *Client) Get(ctx context.Context, name string) (s services.Status, err error) {
	return s, c.get(ctx, "/api/servers/"+url.PathEscape(name), &s)
}

// Do implements services.Control.
func (c *Client) Do(ctx context.Context, order services.Order) ([]services.Status, error) {
	query := url.Values{"action": {string(order.Action)}}
	path := "/api/servers"
	switch {
	case len(order.Servers) == 1:
		path += "/" + url.PathEscape(order.Servers[0])
		if order.Orphan != 0 {
			query.Set("pid", strconv.Itoa(order.Orphan))
		}
	case order.Orphan != 0:
		return nil, services.Errorf(services.Invalid, "a foreign process can only be stopped for one server at a time")
	default:
		query["id"] = order.Servers
	}
	res, err := c.call(ctx, http.MethodPost, path, query, nil)
	if err != nil {
		return nil, err
	}
	io.Copy(io.Discard, res.Body) //nolint:errcheck // so that the connection is used again
	res.Body.Close()
	if order.Orphan != 0 {
		s, err := c.Get(ctx, order.Servers[0])
		return []services.Status{s}, err
	}
	list, err := c.List(ctx)
	if err != nil {
		return nil, err
	}
	byName := make(map[string]services.Status, len(list))
	for _, s := range list {
		byName[s.Name] = s
	}
	out := make([]services.Status, 0, len(order.Servers))
	for _, name := range order.Servers {
		if s, ok := byName[name]; ok {
			out = append(out, s)
			delete(byName, name)
		}
	}
	return out, nil
}

// Watch implements services.Control. When the connection breaks it yields an
// error of kind Unavailable.
func (c *Client) Watch(ctx context.Context, after uint64) iter.Seq2[services.Event, error] {
	return func(yield func(services.Event, error) bool) {
		header := http.Header{}
		if after != services.Now {
			header.Set("Last-Event-ID", strconv.FormatUint(after, 10))
		}
		res, err := c.call(ctx, http.MethodGet, "/api/events", nil, header)
		if err != nil {
			if ctx.Err() == nil {
				yield(services.Event{}, err)
			}
			return
		}
		defer res.Body.Close()
		lines := bufio.NewReader(res.Body)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				if ctx.Err() == nil {
					yield(services.Event{}, &services.Error{Kind: services.Unavailable, Msg: "the manager has ended the stream of events", Err: err})
				}
				return
			}
			data, ok := strings.CutPrefix(line, "data: ")
			if !ok {
				continue
			}
			var e services.Event
			if err := json.Unmarshal([]byte(data), &e); err != nil {
				yield(services.Event{}, fmt.Errorf("read an event: %w", err))
				return
			}
			if !yield(e, nil) {
				return
			}
		}
	}
}

// Logs returns a server's output as text; the query is that of the REST call.
func (c *Client) Logs(ctx context.Context, name string, query url.Values) (io.ReadCloser, error) {
	res, err := c.call(ctx, http.MethodGet, "/api/servers/"+url.PathEscape(name)+"/logs", query, nil)
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

// Shutdown asks the manager to end; keep leaves its servers running.
func (c *Client) Shutdown(ctx context.Context, keep bool) error {
	res, err := c.call(ctx, http.MethodPost, "/api/shutdown", url.Values{"keep": {strconv.FormatBool(keep)}}, nil)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// Info is what a manager tells about itself.
type Info struct {
	Version string `json:"version"`
	PID     int    `json:"pid"`
	Config  string `json:"config"`
	URL     string `json:"url"`
	Demo    bool   `json:"demo"`
}

// Info asks the manager about itself.
func (c *Client) Info(ctx context.Context) (info Info, err error) {
	return info, c.get(ctx, "/api/info", &info)
}
