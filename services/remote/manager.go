package remote

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"tend/services"
)

// Shutdown asks the manager to end; keep leaves its servers running. It
// returns when the manager has heard it.
func (c *Client) Shutdown(ctx context.Context, keep bool) error {
	var answer struct{}
	return c.ask(ctx, request{method: http.MethodPost, path: "/api/shutdown", form: url.Values{"keep": {strconv.FormatBool(keep)}}}, &answer)
}

// Upgrade has the program that is installed now take over from the manager. It
// returns when that has been tried and the manager is about to make room.
// Conflict where it cannot take over: then everything stays as it is.
func (c *Client) Upgrade(ctx context.Context) error {
	var answer struct{}
	return c.ask(ctx, request{method: http.MethodPost, path: "/api/upgrade", form: url.Values{}}, &answer)
}

// Plan is what a reload does.
type Plan struct {
	ID      string `json:"id"`
	Applied bool   `json:"applied"`
	services.Plan
}

// Reload has the manager read its configuration again. With dry it only says
// what that changes; with the id of a plan only that one is carried out.
// Invalid for a file with problems, Conflict where the plan has changed.
func (c *Client) Reload(ctx context.Context, dry bool, id string) (plan Plan, err error) {
	form := url.Values{"dry": {strconv.FormatBool(dry)}, "plan": {id}}
	err = c.ask(ctx, request{method: http.MethodPost, path: "/api/config/reload", form: form}, &plan)
	return plan, err
}

// AlertTargets returns where alerts go.
func (c *Client) AlertTargets(ctx context.Context) (list []services.AlertTarget, err error) {
	err = c.ask(ctx, request{method: http.MethodGet, path: "/api/alerts"}, &list)
	return list, err
}

// TestAlerts sends a test to every target and returns how that went.
func (c *Client) TestAlerts(ctx context.Context) (list []services.AlertTest, err error) {
	err = c.ask(ctx, request{method: http.MethodPost, path: "/api/alerts/test", form: url.Values{}}, &list)
	return list, err
}

// Attend returns a connection that can be read until the manager ends, or ctx
// does. What it reads means nothing.
func (c *Client) Attend(ctx context.Context) (io.ReadCloser, error) {
	res, err := c.call(ctx, request{method: http.MethodGet, path: "/api/events"})
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

// Info is what a manager tells about itself.
type Info struct {
	Version   string    `json:"version"`
	PID       int       `json:"pid"`
	StartedAt time.Time `json:"startedAt"` // no two managers have the same
	Config    string    `json:"config"`    // path of the configuration
	URL       string    `json:"url"`       // of the dashboard
	Demo      bool      `json:"demo"`

	Certificate string `json:"certificate"` // SHA-256 of the dashboard's, empty for none
}

// Info asks the manager about itself.
func (c *Client) Info(ctx context.Context) (info Info, err error) {
	err = c.ask(ctx, request{method: http.MethodGet, path: "/api/info"}, &info)
	return info, err
}
