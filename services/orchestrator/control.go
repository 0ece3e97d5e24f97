package orchestrator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tend/services"
	"tend/services/monitor"
)

// List returns the last status of every server.
func (o *Orchestrator) List(ctx context.Context) ([]services.Status, error) {
	return o.AppendList(ctx, make([]services.Status, 0, len(o.roster.Load().units)))
}

// AppendList implements services.Lister.
func (o *Orchestrator) AppendList(_ context.Context, out []services.Status) ([]services.Status, error) {
	for _, u := range o.roster.Load().units {
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
	u := o.roster.Load().byName[name]
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
		units = named.reach(func(u *unit) []*unit { return u.links.Load().needed }, func(*unit) bool { return false })
	}
	// Whoever asked may go away: an order is carried out for all or for none.
	if err := o.tellAll(context.WithoutCancel(ctx), units, func(u *unit) message {
		in := Input{Kind: kind}
		if !named.has[u] {
			in.Kind = OrderStart // a dependency is started, not restarted
		}
		return message{order: &in, by: order.By}
	}); err != nil {
		return nil, err
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

// tellTime bounds how long an order waits for one unit. A unit is never that
// busy, unless the kernel keeps it, as a dead network disk does.
const tellTime = 2 * time.Second

// tellAll gives each unit its order, one after the other, and waits until it
// has taken it. One that is busy does not keep the others from theirs: it gets
// its own as soon as it can, and is named in the error, which is Unavailable.
func (o *Orchestrator) tellAll(ctx context.Context, units []*unit, order func(*unit) message) error {
	var busy []string
	for _, u := range units {
		taken := make(chan struct{})
		msg := order(u)
		o.tasks.Go(func() { // ends with the unit
			defer close(taken)
			u.sendAndWait(ctx, msg) //nolint:errcheck // it has ended by itself, or everything does
		})
		patience := time.NewTimer(tellTime)
		select {
		case <-taken:
		case <-patience.C:
			busy = append(busy, u.name)
		}
		patience.Stop()
	}
	if len(busy) > 0 {
		return services.Errorf(services.Unavailable, "%s did not take the order within %v: something keeps it busy, such as a disk that does not answer", strings.Join(busy, ", "), tellTime)
	}
	return nil
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
	units := named.reach((*unit).startsFirst, (*unit).down)
	for _, u := range units {
		if u.orphan() {
			return nil, services.Errorf(services.Conflict, "%s is not in the configuration any more: it can only be stopped", u.name)
		}
		if err := o.portFree(u); err != nil {
			return nil, err
		}
	}
	return units, nil
}

// startsFirst returns the units that a start of this one starts, too: what it
// depends on, but for tasks that have completed already.
func (u *unit) startsFirst() []*unit {
	var out []*unit
	for _, n := range u.links.Load().needs {
		if n.Until != services.UntilCompleted || !n.met() {
			out = append(out, n.unit)
		}
	}
	return out
}

// down reports whether the server is down, or about to be, and would not start
// by itself.
func (u *unit) down() bool {
	s := u.status.Load()
	return s.Want == services.Down || s.Phase == services.Failed || s.Phase == services.Exited
}

// portFree looks, at this moment, whether somebody holds the port of a server
// that is down.
func (o *Orchestrator) portFree(u *unit) error {
	s := u.status.Load()
	if u.server().Port == 0 || s.Running && !s.Orphaned {
		return nil
	}
	holder, held, err := o.trades.Ports.Holder(u.server().Port)
	if err != nil || !held {
		return nil // the server will say itself what is wrong
	}
	if o.trades.Ports.Owns(holder.PID) {
		return services.Errorf(services.Conflict, "port %d of %s is held by pid %d (%s), which belongs to %s: stop that one, or change the port",
			u.server().Port, u.name, holder.PID, holder.Command, o.ownerOf(holder.PID))
	}
	return services.Errorf(services.Conflict,
		"port %d of %s is held by pid %d (%s): end it with `tend stop %s --orphan %d`, or change the port",
		u.server().Port, u.name, holder.PID, holder.Command, u.name, holder.PID)
}

// ownerOf names the server that a process of ours belongs to.
func (o *Orchestrator) ownerOf(pid int) string {
	for _, u := range o.roster.Load().units {
		if int(u.status.Load().PID) == pid {
			return "server " + u.name
		}
	}
	return "another server, or to this manager"
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
	if u.server().Port == 0 {
		return nil, services.Errorf(services.Conflict, "%s has no port that somebody could hold", u.name)
	}
	holder, held, err := o.trades.Ports.Holder(u.server().Port)
	switch {
	case err != nil:
		return nil, fmt.Errorf("who holds port %d: %w", u.server().Port, err)
	case !held:
		return nil, services.Errorf(services.Conflict, "nobody holds port %d of %s any more", u.server().Port, u.name)
	case holder.PID != order.Orphan:
		return nil, services.Errorf(services.Conflict, "port %d of %s is held by pid %d (%s), not by pid %d",
			u.server().Port, u.name, holder.PID, holder.Command, order.Orphan)
	}
	result := make(chan error, 1)
	o.tasks.Go(func() { // ends with the grace period
		ctx := context.WithoutCancel(ctx)
		err := o.trades.Ports.KillForeign(ctx, holder, u.server().Stop.Timeout)
		if err == nil {
			o.Report(ctx, monitor.Result{Server: u.name, At: time.Now()})
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
// alone. What is recorded as wanted stays: should the manager die before it is
// done, the next one brings everything back.
func (o *Orchestrator) StopAll(ctx context.Context, action services.Action) error {
	o.ending.Store(true)
	kind, err := inputOf(action)
	if err != nil {
		return err
	}
	var named group
	for _, u := range o.roster.Load().units {
		if !u.orphan() {
			named.add(u)
		}
	}
	units := named.reach(func(u *unit) []*unit { return u.links.Load().needed }, func(*unit) bool { return false })
	busy := o.tellAll(context.WithoutCancel(ctx), units, func(*unit) message {
		return message{order: &Input{Kind: kind}, by: "manager", last: true}
	})
	order := services.Order{Action: action}
	for _, u := range units {
		if s := u.status.Load(); s.Phase != services.Failed && s.Phase != services.Exited {
			order.Servers = append(order.Servers, u.name)
		}
	}
	return errors.Join(busy, services.Await(ctx, o, order))
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
