package remote

import (
	"context"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"strconv"

	"tend/services"
)

// Events yields what happened, newest first, page after page; query holds the
// parameters of the REST call but for before and limit. An error ends it.
func (c *Client) Events(ctx context.Context, query url.Values) iter.Seq2[services.Event, error] {
	return func(yield func(services.Event, error) bool) {
		query := maps.Clone(query)
		query.Set("limit", "1000")
		for {
			var page services.HistoryPage
			if err := c.ask(ctx, request{method: http.MethodGet, path: "/api/history", query: query}, &page); err != nil {
				yield(services.Event{}, err)
				return
			}
			for _, e := range page.Events {
				if !yield(e, nil) {
					return
				}
			}
			if page.Next == 0 {
				return
			}
			query.Set("before", strconv.FormatUint(page.Next, 10))
		}
	}
}

// Runs returns the newest runs of a server, newest first. NotFound.
func (c *Client) Runs(ctx context.Context, server string, query url.Values) ([]services.PastRun, error) {
	path, err := pathOf(server)
	if err != nil {
		return nil, err
	}
	var page struct {
		Runs []services.PastRun `json:"runs"`
	}
	return page.Runs, c.ask(ctx, request{method: http.MethodGet, path: path + "/runs", query: query}, &page)
}
