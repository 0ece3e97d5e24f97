package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/mux"

	"tend/services"
)

// History is what the surface reads of what happened.
type History interface {
	Events(ctx context.Context, q services.HistoryQuery) (services.HistoryPage, error)
	Runs(ctx context.Context, server string, before time.Time, limit int) ([]services.PastRun, error)
	Samples(ctx context.Context, server string, from, to time.Time, points int) ([]services.Sample, error)
}

// The sizes of a page, and of what is drawn.
const (
	mostRuns      = 200
	defaultRuns   = 20
	mostEvents    = 1000
	defaultEvents = 100
	mostPoints    = 2000
	defaultPoints = 300
)

// ListEvents answers with a page of what happened, newest first.
func (a *API) ListEvents(w http.ResponseWriter, r *http.Request) error {
	q, err := HistoryQuery(r)
	if err != nil {
		return err
	}
	page, err := a.History.Events(r.Context(), q)
	if err != nil {
		return err
	}
	for i := range page.Events {
		page.Events[i].Status = nil // what is kept of it is no status
	}
	if page.Events == nil {
		page.Events = []services.Event{}
	}
	return WriteJSON(w, http.StatusOK, page)
}

// HistoryQuery reads what is asked of history from a request's parameters.
func HistoryQuery(r *http.Request) (q services.HistoryQuery, err error) {
	p, err := params(r, "server...", "kind...", "text", "since", "until", "before", "limit")
	if err != nil {
		return q, err
	}
	q.Text, q.Servers = p.text("text"), filled(p["server"])
	for _, kind := range filled(p["kind"]) {
		if !slices.Contains(services.EventKinds, services.EventKind(kind)) {
			return q, bad("kind", kind, "a kind of event, such as started, exited or failed")
		}
		q.Kinds = append(q.Kinds, services.EventKind(kind))
	}
	now := time.Now()
	if q.Since, err = p.instant("since", now); err != nil {
		return q, err
	}
	if q.Until, err = p.instant("until", now); err != nil {
		return q, err
	}
	before, err := p.number("before", 0, 0)
	if err != nil {
		return q, err
	}
	q.Before = uint64(before)
	q.Limit, err = p.atMost("limit", defaultEvents, mostEvents)
	return q, err
}

// filled leaves out what is empty: a form sends every field.
func filled(list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == "" })
}

// atMost reads a number from 1 on.
func (v values) atMost(name string, otherwise, most int) (int, error) {
	n, err := v.number(name, 1, otherwise)
	if err == nil && n > most {
		err = services.Errorf(services.Invalid, "%s is %d at most: ask for several pages", name, most)
	}
	return n, err
}

// ListRuns answers with a page of the runs of a server, newest first.
func (a *API) ListRuns(w http.ResponseWriter, r *http.Request) error {
	p, err := params(r, "before", "limit")
	if err != nil {
		return err
	}
	before, err := p.instant("before", time.Now())
	if err != nil {
		return err
	}
	limit, err := p.atMost("limit", defaultRuns, mostRuns)
	if err != nil {
		return err
	}
	name := mux.Vars(r)["id"]
	if _, err := a.Control.Get(r.Context(), name); err != nil {
		return err
	}
	runs, err := a.History.Runs(r.Context(), name, before, limit)
	if err != nil {
		return err
	}
	page := RunPage{Runs: runs}
	if runs == nil {
		page.Runs = []services.PastRun{}
	}
	if len(runs) == limit {
		page.Next = runs[limit-1].StartedAt
	}
	return WriteJSON(w, http.StatusOK, page)
}

// RunPage is a page of runs; Next is before of the next page, null for none.
type RunPage struct {
	Runs []services.PastRun `json:"runs"`
	Next services.Time      `json:"next"`
}

// ListSamples answers with what a server has used, oldest first.
func (a *API) ListSamples(w http.ResponseWriter, r *http.Request) error {
	p, err := params(r, "from", "to", "points")
	if err != nil {
		return err
	}
	now := time.Now()
	from, err := p.instant("from", now)
	if err != nil {
		return err
	}
	to, err := p.instant("to", now)
	if err != nil {
		return err
	}
	if to.IsZero() {
		to = now
	}
	if from.IsZero() {
		from = to.Add(-time.Hour)
	}
	if !from.Before(to) {
		return services.Errorf(services.Invalid, "from has to be before to")
	}
	points, err := p.atMost("points", defaultPoints, mostPoints)
	if err != nil {
		return err
	}
	name := mux.Vars(r)["id"]
	if _, err := a.Control.Get(r.Context(), name); err != nil {
		return err
	}
	samples, err := a.History.Samples(r.Context(), name, from, to, points)
	if err != nil {
		return err
	}
	if samples == nil {
		samples = []services.Sample{}
	}
	return WriteJSON(w, http.StatusOK, samples)
}
