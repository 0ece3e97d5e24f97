package orchestrator

import (
	"context"
	"fmt"
	"time"

	"tend/services"
	"tend/services/monitor"
)

// List returns the last status of every server.
func (o *Orchestrator) List(context.Context) ([]services.Status, error) {
	out := make([]services.Status, 0, len(o.units))
	for _, u := range o.units {
		if !u.removed.Load() {
			out = append(out, u.current())
		}
	}
	return out, nil
}

// Get returns the last status of one server. NotFound.
func (o *Orchestrator) Get(_ context.Context, name string) (services.Status, error) {
	u, err := o.find(name)
	if err != nil {
		return services.Status{}, err
	}
	return u.current(), nil
}

func (o *Orchestrator) find(name string) (*unit, error) {
	u := o.byName[name]
	if u == nil || u.removed.Load() {
		return nil, services.Errorf(services.NotFound, "there is no server %q", name)
	}
	return u, nil
}

// Do carries out an order. See services.Control.
func (o *Orchestrator) Do(ctx context.Context, order services.Order) ([]services.Status, error) {
	var named group
	for _, name := range order.Servers {
		u, err := o.find(name)
		if err != nil {
			return nil, err
		}
		named.add(u)
	}
	if len(named.units) == 0 {
		return nil, services.Errorf(services.Invalid, "no server was named")
	}
	if order.Orphan != 0 {
		return o.endForeign(ctx, order, named)
	}
	kind, err := inputOf(order.Action)
	if err != nil {
		return nil, err
	}
	var units []*unit
	switch kind {
	case OrderStart, OrderRestart:
		if o.ending.Load() {
			return nil, services.Errorf(services.Unavailable, "the manager is ending: nothing is started any more")
		}
		if units, err = o.startable(named); err != nil {
			return nil, err
		}
	default: // a dependency sees that its dependents are leaving when its turn comes
		units = named.reach(func(u *unit) []*unit { return u.needed }, func(*unit) bool { return false })
	}
	for _, u := range units {
		in := Input{Kind: kind}
		if !named.has[u] {
			in.Kind = OrderStart // a dependency is started, not restarted
		}
		if err := o.tell(ctx, u, in); err != nil {
			return nil, err
		}
	}
	if err := o.recorded(ctx, order.Action); err != nil {
		return nil, err
	}
	out := make([]services.Status, len(named.units))
	for i, u := range named.units {
		out[i] = u.current()
	}
	return out, nil
}

func inputOf(a services.Action) (InputKind, error) {
	switch a {
	case services.Start:
		return OrderStart, nil
	case services.Stop:
		return OrderStop, nil
	case services.Restart:
		return OrderRestart, nil
	case services.Kill:
		return OrderKill, nil
	}
	return 0, services.Errorf(services.Invalid, "%q is not an action: use start, stop, restart or kill", a)
}

// tell gives one unit an order and waits until it has taken it.
func (o *Orchestrator) tell(ctx context.Context, u *unit, in Input) error {
	reply := make(chan services.Status, 1)
	if err := u.send(ctx, message{order: &in, reply: reply}); err != nil {
		if u.removed.Load() {
			return nil // it ended by itself, which is all that could be asked of it
		}
		return err
	}
	select {
	case <-reply:
		return nil
	case <-u.done:
		return nil
	}
}

// recorded waits until the wants are on disk. A disk that refuses them does not
// refuse the order: the state service reports it and tries again. One that is
// silent for too long makes it Unavailable, because nobody could promise that
// the next manager knows of it.
func (o *Orchestrator) recorded(ctx context.Context, action services.Action) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	err := o.trades.State.Flush(ctx)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return services.Errorf(services.Unavailable, "the %s was carried out, but the disk has not taken it down within %v", action, recordTime)
	}
	o.trades.Log.Warn("an order was carried out but is not written down yet", "action", action, "err", err)
	return nil
}

// startable returns the units to start, dependencies first, or a Conflict that
// names whoever stands in the way.
func (o *Orchestrator) startable(named group) ([]*unit, error) {
	units := named.reach(func(u *unit) []*unit { return u.needs }, (*unit).idle)
	for _, u := range units {
		if u.orphan {
			return nil, services.Errorf(services.Conflict, "%s is not in the configuration any more: it can only be stopped", u.server.Name)
		}
		if err := o.portFree(u); err != nil {
			return nil, err
		}
	}
	return units, nil
}

// idle reports whether the server is down and would not start by itself.
func (u *unit) idle() bool {
	switch u.status.Load().Phase {
	case services.Stopped, services.Failed, services.Exited:
		return true
	}
	return false
}

// portFree looks, at this moment, whether a stranger holds the port of a
// server that is down.
func (o *Orchestrator) portFree(u *unit) error {
	s := u.status.Load()
	if u.server.Port == 0 || s.Running && !s.Orphaned {
		return nil
	}
	holder, held, err := o.trades.Ports.Holder(u.server.Port)
	if err != nil || !held || o.trades.Ports.Owns(holder.PID) {
		return nil // the server will say itself what is wrong
	}
	return services.Errorf(services.Conflict,
		"port %d of %s is held by pid %d (%s): end it with `tend stop %s --orphan %d`, or change the port",
		u.server.Port, u.server.Name, holder.PID, holder.Command, u.server.Name, holder.PID)
}

// foreignAnswer is how long an order to end a foreign process waits for an
// objection; ending it goes on afterwards.
const foreignAnswer = 100 * time.Millisecond

// endForeign ends the process that holds the port of a server.
func (o *Orchestrator) endForeign(ctx context.Context, order services.Order, named group) ([]services.Status, error) {
	if order.Action != services.Stop || len(named.units) != 1 {
		return nil, services.Errorf(services.Invalid, "a foreign process can only be stopped, and for one server at a time")
	}
	u := named.units[0]
	s := u.current()
	if s.OrphanKind != nil && *s.OrphanKind == services.Unconfigured && int(s.OrphanedPID) == order.Orphan {
		order.Orphan = 0
		return o.Do(ctx, order)
	}
	if u.server.Port == 0 {
		return nil, services.Errorf(services.Conflict, "%s has no port that somebody could hold", u.server.Name)
	}
	holder, held, err := o.trades.Ports.Holder(u.server.Port)
	switch {
	case err != nil:
		return nil, fmt.Errorf("who holds port %d: %w", u.server.Port, err)
	case !held:
		return nil, services.Errorf(services.Conflict, "nobody holds port %d of %s any more", u.server.Port, u.server.Name)
	case holder.PID != order.Orphan:
		return nil, services.Errorf(services.Conflict, "port %d of %s is held by pid %d (%s), not by pid %d",
			u.server.Port, u.server.Name, holder.PID, holder.Command, order.Orphan)
	}
	result := make(chan error, 1)
	o.tasks.Go(func() { // ends with the grace period
		ctx := context.WithoutCancel(ctx)
		err := o.trades.Ports.KillForeign(ctx, holder, u.server.Stop.Timeout)
		if err == nil {
			o.Report(ctx, monitor.Result{Server: u.server.Name, At: time.Now()})
		}
		result <- err
	})
	select {
	case err := <-result:
		if err != nil {
			return nil, err
		}
	case <-time.After(foreignAnswer):
	}
	return []services.Status{u.current()}, nil
}

// StopAll stops or kills every configured server and waits until all are down,
// which StopBudget bounds. Starts are refused from now on; orphans are left
// alone.
func (o *Orchestrator) StopAll(ctx context.Context, action services.Action) error {
	o.ending.Store(true)
	order := services.Order{Action: action}
	for _, u := range o.units {
		if !u.orphan {
			order.Servers = append(order.Servers, u.server.Name)
		}
	}
	if len(order.Servers) == 0 {
		return nil
	}
	if _, err := o.Do(ctx, order); err != nil {
		return err
	}
	return services.Await(ctx, o, order)
}

// group is a set of units that keeps its order.
type group struct {
	units []*unit
	has   map[*unit]bool
}

func (g *group) add(u *unit) {
	if g.has == nil {
		g.has = make(map[*unit]bool)
	}
	if !g.has[u] {
		g.has[u] = true
		g.units = append(g.units, u)
	}
}

// reach returns the units of the group and those further ones that the
// relation leads to and that are let in, each after what it leads to.
func (g group) reach(leads func(*unit) []*unit, let func(*unit) bool) []*unit {
	var out []*unit
	seen := make(map[*unit]bool)
	var visit func(u *unit)
	visit = func(u *unit) {
		if seen[u] {
			return
		}
		seen[u] = true
		for _, n := range leads(u) {
			visit(n)
		}
		if g.has[u] || let(u) {
			out = append(out, u)
		}
	}
	for _, u := range g.units {
		visit(u)
	}
	return out
}
