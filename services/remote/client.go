// Package remote is Control over REST: what the command line speaks to a
// manager through its unix socket.
//
// An error of the manager arrives as the same error of package services that
// it had there. A client owns nothing but its idle connections.
package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tend/services"
)

// answerTime is how long a manager may take to begin an answer. It takes
// milliseconds; one that is stopped or hangs takes for ever.
const answerTime = 30 * time.Second

// Client speaks to one manager. Use New. Everybody may call its methods.
type Client struct {
	socket   string
	http     *http.Client
	patience time.Duration // how long a stream looks for the next manager
	notice   func(lost bool)
}

// New returns a client of the manager behind a unix socket. It connects at the
// first call.
func New(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	return &Client{socket: socket, patience: 5 * time.Second, notice: func(bool) {}, http: &http.Client{
		Transport: &http.Transport{
			DialContext: dial, MaxIdleConnsPerHost: 2, DisableCompression: true, ResponseHeaderTimeout: answerTime,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Enduring returns a client whose streams wait for the next manager however
// long that takes. They call notice when they lose theirs, and when they have
// found one again.
func (c *Client) Enduring(notice func(lost bool)) *Client {
	enduring := *c
	enduring.patience, enduring.notice = math.MaxInt64, notice
	return &enduring
}

// Close ends the connections that are idle.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// NoManager is the cause of an error of kind Unavailable where no manager runs
// at all.
type NoManager struct{ Socket string }

// Error tells where nobody answers.
func (e *NoManager) Error() string { return "nobody answers at " + e.Socket }

// request is one call of the REST surface.
type request struct {
	method, path string
	query        url.Values
	form         url.Values // sent as the body
	lastEvent    string
	accept       string // media type, empty for any
}

// call sends a request and returns its answer, or the error that the other
// side had.
func (c *Client) call(ctx context.Context, q request) (*http.Response, error) {
	target := url.URL{Scheme: "http", Host: "localhost", Path: q.path, RawQuery: q.query.Encode()}
	var body io.Reader
	if q.form != nil {
		body = strings.NewReader(q.form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, q.method, target.String(), body)
	if err != nil {
		return nil, fmt.Errorf("ask the manager: %w", err)
	}
	if q.form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if q.lastEvent != "" {
		req.Header.Set("Last-Event-ID", q.lastEvent)
	}
	if q.accept != "" {
		req.Header.Set("Accept", q.accept)
	}
	res, err := c.http.Do(req)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, c.unreachable(err)
	case res.StatusCode == http.StatusOK:
		return res, nil
	}
	defer res.Body.Close()
	return nil, rebuilt(res)
}

// unreachable says why there was no answer.
func (c *Client) unreachable(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ENOTSOCK), errors.Is(err, syscall.ENOTDIR):
		return &services.Error{Kind: services.Unavailable, Msg: "no manager is running, start it with `tend serve`", Err: &NoManager{c.socket}}
	case errors.Is(err, fs.ErrPermission):
		return services.Errorf(services.Forbidden, "%s belongs to another user: run this as the user who runs the manager", c.socket)
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return services.Errorf(services.Unavailable, "the manager ended before it had answered: what was asked may have happened or not")
	}
	return &services.Error{Kind: services.Unavailable, Msg: "the manager does not answer", Err: errors.Unwrap(err)}
}

// rebuilt makes the error that the manager had.
func rebuilt(res *http.Response) error {
	text, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20)) //nolint:errcheck // what came is shown
	var answer struct {
		Message string        `json:"message"`
		Kind    services.Kind `json:"kind"`
	}
	if json.Unmarshal(text, &answer) != nil || !slices.Contains(services.Kinds, answer.Kind) {
		return services.Errorf(services.Internal, "the manager answered %s: %.200s", res.Status, bytes.TrimSpace(text))
	}
	return services.Errorf(answer.Kind, "%s", answer.Message)
}

// ask sends a request and reads a JSON value.
func (c *Client) ask(ctx context.Context, q request, into any) error {
	res, err := c.call(ctx, q)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &services.Error{Kind: services.Unavailable, Msg: "the manager's answer cannot be read", Err: err}
	}
	io.Copy(io.Discard, io.LimitReader(res.Body, 1<<10)) //nolint:errcheck // so that the connection is used again
	return nil
}

// List implements services.Control.
func (c *Client) List(ctx context.Context) (list []services.Status, err error) {
	err = c.ask(ctx, request{method: http.MethodGet, path: "/api/servers"}, &list)
	return list, err
}

// Get implements services.Control.
func (c *Client) Get(ctx context.Context, name string) (s services.Status, err error) {
	path, err := pathOf(name)
	if err != nil {
		return s, err
	}
	err = c.ask(ctx, request{method: http.MethodGet, path: path}, &s)
	return s, err
}

// Do implements services.Control.
func (c *Client) Do(ctx context.Context, order services.Order) ([]services.Status, error) {
	form := url.Values{"action": {string(order.Action)}, "id": order.Servers}
	if order.Orphan != 0 {
		form.Set("pid", strconv.Itoa(order.Orphan))
	}
	var answer struct {
		Servers []services.Status `json:"servers"`
	}
	err := c.ask(ctx, request{method: http.MethodPost, path: "/api/servers", form: form}, &answer)
	return answer.Servers, err
}

// pathOf returns where a server is found. NotFound where nothing can bear that
// name.
func pathOf(name string) (string, error) {
	if !services.ValidName(name) {
		return "", services.Errorf(services.NotFound, "there is no server %q", name)
	}
	return "/api/servers/" + name, nil
}
