package handlers

import (
	"context"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"tend/handlers/api"
	"tend/services"
	"tend/services/access"
	"tend/services/logs"
)

// scopedControl is a Control that shows each subject the servers that it may
// know of; the others do not exist for it. Who is nobody sees nothing at all.
// A start that needs servers beyond those starts them all the same: that is
// what the configuration means by it.
type scopedControl struct{ services.Control }

var errUnseen = services.Errorf(services.Forbidden, "sign in first")

func notThere(name string) error {
	return services.Errorf(services.NotFound, "there is no server %q", name)
}

// List implements services.Control.
func (c scopedControl) List(ctx context.Context) ([]services.Status, error) {
	s, ok := access.Of(ctx)
	if !ok {
		return nil, errUnseen
	}
	list, err := c.Control.List(ctx)
	return scope(s, list), err
}

// AppendList implements services.Lister.
func (c scopedControl) AppendList(ctx context.Context, out []services.Status) ([]services.Status, error) {
	s, ok := access.Of(ctx)
	if !ok {
		return nil, errUnseen
	}
	from := len(out)
	out, err := services.AppendList(ctx, c.Control, out)
	if !s.Limited() {
		return out, err
	}
	return append(out[:from], scope(s, out[from:])...), err
}

// Get implements services.Control.
func (c scopedControl) Get(ctx context.Context, name string) (services.Status, error) {
	s, ok := access.Of(ctx)
	switch {
	case !ok:
		return services.Status{}, errUnseen
	case !s.Sees(name):
		return services.Status{}, notThere(name)
	}
	status, err := c.Control.Get(ctx, name)
	return alone(s, status), err
}

// Do implements services.Control.
func (c scopedControl) Do(ctx context.Context, order services.Order) ([]services.Status, error) {
	s, ok := access.Of(ctx)
	if !ok || !s.Role.May(services.Operator) {
		return nil, errUnseen
	}
	for _, name := range order.Servers {
		if !s.Sees(name) {
			return nil, notThere(name)
		}
	}
	list, err := c.Control.Do(ctx, order)
	return scope(s, list), err
}

// Watch implements services.Control.
func (c scopedControl) Watch(ctx context.Context, after uint64) iter.Seq2[services.Event, error] {
	s, ok := access.Of(ctx)
	if !ok {
		return func(yield func(services.Event, error) bool) { yield(services.Event{}, errUnseen) }
	}
	events := c.Control.Watch(ctx, after)
	if !s.Limited() {
		return events
	}
	return func(yield func(services.Event, error) bool) {
		for e, err := range events {
			if err == nil && e.Kind != services.EventReset && (e.Server == "" || !s.Sees(e.Server)) {
				continue
			}
			if e.Status != nil {
				status := alone(s, *e.Status)
				e.Status = &status
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// scope leaves out what a subject does not see.
func scope(s access.Subject, list []services.Status) []services.Status {
	if !s.Limited() {
		return list
	}
	out := make([]services.Status, 0, len(s.Servers))
	for _, status := range list {
		if s.Sees(status.Name) {
			out = append(out, alone(s, status))
		}
	}
	return out
}

// alone takes the names of servers that a subject does not see out of a status.
func alone(s access.Subject, status services.Status) services.Status {
	if !s.Limited() {
		return status
	}
	for _, name := range slices.Concat(status.DependsOn, status.NeededBy) {
		if !s.Sees(name) && strings.Contains(status.Why, name) {
			status.Why = "it depends on a server that is not shown here"
		}
	}
	unseen := func(name string) bool { return !s.Sees(name) }
	status.DependsOn = slices.DeleteFunc(slices.Clone(status.DependsOn), unseen)
	status.NeededBy = slices.DeleteFunc(slices.Clone(status.NeededBy), unseen)
	var until services.Conditions
	for name, condition := range status.Until {
		if s.Sees(name) {
			if until == nil {
				until = services.Conditions{}
			}
			until[name] = condition
		}
	}
	status.Until = until
	return status
}

// scopedHistory is a History in the same way.
type scopedHistory struct{ api.History }

// Events implements api.History. What is about no server is for those who see
// all of them.
func (h scopedHistory) Events(ctx context.Context, q services.HistoryQuery) (services.HistoryPage, error) {
	s, ok := access.Of(ctx)
	switch {
	case !ok:
		return services.HistoryPage{}, errUnseen
	case s.Limited() && len(q.Servers) == 0:
		q.Servers = s.Servers
	}
	for _, name := range q.Servers {
		if !s.Sees(name) {
			return services.HistoryPage{}, notThere(name)
		}
	}
	return h.History.Events(ctx, q)
}

// Runs implements api.History.
func (h scopedHistory) Runs(ctx context.Context, server string, before time.Time, limit int) ([]services.PastRun, error) {
	if err := seen(ctx, server); err != nil {
		return nil, err
	}
	return h.History.Runs(ctx, server, before, limit)
}

// Samples implements api.History.
func (h scopedHistory) Samples(ctx context.Context, server string, from, to time.Time, points int) ([]services.Sample, error) {
	if err := seen(ctx, server); err != nil {
		return nil, err
	}
	return h.History.Samples(ctx, server, from, to, points)
}

func seen(ctx context.Context, server string) error {
	switch s, ok := access.Of(ctx); {
	case !ok:
		return errUnseen
	case !s.Sees(server):
		return notThere(server)
	}
	return nil
}

// scopedLogs is a Logs in the same way.
type scopedLogs struct{ Logs }

// Read implements Logs.
func (l scopedLogs) Read(ctx context.Context, server string, q logs.Query) iter.Seq2[logs.Line, error] {
	if err := seen(ctx, server); err != nil {
		return func(yield func(logs.Line, error) bool) { yield(logs.Line{}, err) }
	}
	return l.Logs.Read(ctx, server, q)
}

// Copy implements Logs.
func (l scopedLogs) Copy(ctx context.Context, server string, to io.Writer) error {
	if err := seen(ctx, server); err != nil {
		return err
	}
	return l.Logs.Copy(ctx, server, to)
}
