package orchestrator

import (
	"context"
	"reflect"
	"time"

	"tend/services"
	"tend/services/failpoint"
)

// Configured returns the servers of the configuration in its order, and
// whether each runs with another command than it has there.
func (o *Orchestrator) Configured() (servers []services.Server, drift map[string]bool) {
	drift = make(map[string]bool)
	for _, u := range o.roster.Load().units {
		if u.orphan() || u.removed.Load() {
			continue
		}
		servers = append(servers, *u.server())
		drift[u.name] = u.status.Load().Drift
	}
	return servers, drift
}

// Reload takes another configuration over, as a plan made of Configured says:
// what left it is stopped and forgotten, what is new is started where autostart
// says so, and what the plan restarts is restarted if it runs, and started if
// it has failed. Nothing else is touched. Call it while Run runs. Conflict while another reload runs,
// Unavailable while the manager ends, Invalid for a schedule that cannot be.
func (o *Orchestrator) Reload(ctx context.Context, servers []services.Server, plan services.Plan, by string) error {
	select {
	case <-o.begun:
	case <-ctx.Done():
		return ctx.Err()
	}
	if !o.reload.TryLock() {
		return services.Errorf(services.Conflict, "another reload is under way: try again when it is done")
	}
	defer o.reload.Unlock()
	if o.ending.Load() || o.life.Err() != nil {
		return services.Errorf(services.Unavailable, "the manager is ending")
	}
	given := make([]*settings, len(servers))
	for i := range servers {
		var err error
		s := &servers[i]
		if given[i], err = newSettings(s, o.digest(*s), o.times); err != nil {
			return services.Errorf(services.Invalid, "%s: %v", s.Name, err)
		}
	}
	ctx = context.WithoutCancel(ctx) // it is carried out whole
	failpoint.At("reload-begun")
	busy := o.leave(ctx, servers, by)
	failpoint.At("reload-left")
	fresh := o.take(ctx, given, by)
	failpoint.At("reload-taken")
	for _, u := range fresh {
		o.begin(u, nil)
	}
	for _, u := range o.roster.Load().units {
		u.look()
	}
	if err := o.startFresh(ctx, fresh, by); err != nil && busy == nil {
		busy = err
	}
	failpoint.At("reload-started")
	if err := o.restart(ctx, plan.Restart, by); err != nil && busy == nil {
		busy = err
	}
	failpoint.At("reload-restarted")
	if busy != nil {
		return busy
	}
	return o.recorded(ctx, "reload")
}

// leave stops what is not among the servers any more, dependents first.
func (o *Orchestrator) leave(ctx context.Context, servers []services.Server, by string) error {
	kept := make(map[string]bool, len(servers))
	for _, s := range servers {
		kept[s.Name] = true
	}
	var gone group
	for _, u := range o.roster.Load().units {
		if !kept[u.name] && !u.orphan() {
			gone.add(u)
		}
	}
	units := gone.reach(func(u *unit) []*unit { return u.links.Load().needed }, func(*unit) bool { return false })
	return o.tellAll(ctx, units, func(u *unit) message {
		return message{settings: u.settings.Load().abandoned(), by: by}
	})
}

// take gives every unit its settings, makes units for what is new, and links
// all of them.
func (o *Orchestrator) take(ctx context.Context, given []*settings, by string) (fresh []*unit) {
	old := o.roster.Load()
	list := &roster{byName: make(map[string]*unit, len(given))}
	for _, g := range given {
		u := old.byName[g.server.Name]
		if u != nil {
			o.tellAll(ctx, []*unit{u}, func(*unit) message { return message{settings: g, by: by} }) //nolint:errcheck // it gets them as soon as it can
		}
		if u == nil || u.over() {
			u = o.newcomer(g, by)
			fresh = append(fresh, u)
		}
		list.add(u)
	}
	for _, u := range old.units {
		if list.byName[u.name] == nil && !u.over() {
			list.add(u)
		}
	}
	list.connect()
	for _, u := range fresh {
		u.m.ready = u.satisfied()
		u.tell(services.EventChanged)
		u.facts.Store(u.newFacts())
	}
	o.roster.Store(list)
	o.rounds.changes.Add(1)
	return fresh
}

// over reports whether the unit has ended: its server left the configuration.
func (u *unit) over() bool {
	select {
	case <-u.done:
		return true
	default:
		return u.removed.Load()
	}
}

// newcomer makes the unit of a server that was not there before.
func (o *Orchestrator) newcomer(g *settings, by string) *unit {
	r := resumption{server: g.server, record: services.Record{Name: g.server.Name, Want: services.Down, Phase: services.Stopped}}
	if g.times != nil && g.server.Autostart {
		r.record.Want = services.Up
	}
	u := o.newUnit(r, g, o.epoch+uint64(time.Since(o.since).Milliseconds())<<10) // grows, whatever happens to the clock
	u.by = by
	if r.record.Want == services.Up {
		u.m.Phase = u.rest()
	}
	return u
}

// startFresh starts new servers, and what they depend on.
func (o *Orchestrator) startFresh(ctx context.Context, fresh []*unit, by string) error {
	var named group
	for _, u := range fresh {
		if s := u.server(); s.Autostart && s.Schedule.Cron == "" {
			named.add(u)
		}
	}
	return o.order(ctx, named.reach((*unit).startsFirst, (*unit).down), OrderStart, by)
}

// restart restarts those that run, dependencies first. One that has failed is
// started: what it could not do it may now.
func (o *Orchestrator) restart(ctx context.Context, changes []services.Change, by string) error {
	var named group
	for _, c := range changes {
		if u := o.roster.Load().byName[c.Server]; u != nil && (u.runs() || u.failing()) {
			named.add(u)
		}
	}
	units := named.reach((*unit).startsFirst, func(*unit) bool { return false })
	return o.tellAll(ctx, units, func(u *unit) message {
		kind := OrderRestart
		if !u.runs() {
			kind = OrderStart
		}
		return message{order: &Input{Kind: kind}, by: by}
	})
}

// runs reports whether a process of the server is alive.
func (u *unit) runs() bool { return u.status.Load().Tracking != nil }

// failing reports whether the server is down though it is wanted up, because
// it has failed, and no schedule starts it again.
func (u *unit) failing() bool {
	s := u.status.Load()
	return s.Want == services.Up && (s.Phase == services.Failed || s.Phase == services.BackOff) && u.server().Schedule.Cron == ""
}

func (o *Orchestrator) order(ctx context.Context, units []*unit, kind InputKind, by string) error {
	return o.tellAll(ctx, units, func(*unit) message { return message{order: &Input{Kind: kind}, by: by} })
}

// checksOf is what the checks of a run depend on.
func checksOf(s *settings) any {
	return []any{s.server.Ready, s.server.Live, s.server.Silence, s.server.Watchdog, s.server.Port}
}

// configure takes other settings.
func (u *unit) configure(given *settings, by string) {
	was := u.settings.Load()
	u.by = by
	u.set(given)
	if given.server.Logs != was.server.Logs && u.proc != nil {
		u.trades.Logs.Attach(u.name, given.server.Logs)
	}
	if u.proc != nil && !u.ended && !reflect.DeepEqual(checksOf(given), checksOf(was)) {
		u.m.passed = u.m.passed || u.m.Phase == services.Running // it was ready by the rules of its start
		u.beginChecks()
	}
	if given.server.Schedule != was.server.Schedule {
		u.fire = time.Time{}
	}
	if given.orphan && !was.orphan {
		u.observe() // who needs it may have just begun to stop
		u.cause = "stopped because it left the configuration"
		u.feed(Input{Kind: OrderStop})
	}
	u.plan()
	u.tell(services.EventChanged)
	u.publish()
}
