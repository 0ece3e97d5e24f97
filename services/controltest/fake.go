package controltest

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"tend/services"
)

// Retained is how many events a Fake keeps.
const Retained = 1024

// Fake is a Control without processes: whatever is ordered has happened when
// Do returns, unless Hold prevents it. Use NewFake. Its methods may be called
// from any goroutine.
type Fake struct {
	mu      sync.Mutex // guards what follows
	servers []services.Server
	status  map[string]services.Status
	orders  []services.Order
	held    map[string]bool
	refuse  error
	rev     uint64
	pid     services.Int
	events  []services.Event // the latest, in order
	last    uint64
	news    chan struct{} // closed by the next event
}

// NewFake returns a Control of servers that are all stopped.
func NewFake(servers ...services.Server) *Fake {
	f := &Fake{
		servers: servers, status: make(map[string]services.Status), held: make(map[string]bool),
		pid: 1000, last: 1 << 40, rev: 1, news: make(chan struct{}),
	}
	for _, s := range servers {
		f.status[s.Name] = services.Status{
			ID: s.Name, Name: s.Name, Description: s.Description, Group: s.Group, Command: fmt.Sprint(s.Command.List()),
			DependsOn: s.Needs(), Until: s.Until(), Port: services.Int(s.Port),
			Phase: services.Stopped, Want: services.Down, Rev: 1,
		}
	}
	return f
}

// Hold keeps a server from reaching what is ordered next: it stays starting or
// stopping until Set.
func (f *Fake) Hold(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held[name] = true
}

// Refuse makes every further order fail with an error, until it is nil.
func (f *Fake) Refuse(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuse = err
}

// Orders returns every order that was carried out.
func (f *Fake) Orders() []services.Order {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.orders)
}

// Set changes the status of a server, or adds an orphan, and publishes an
// event of that kind about it. The revision is raised here.
func (f *Fake) Set(kind services.EventKind, s services.Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.held, s.Name)
	f.put(kind, s)
}

// Publish publishes an event; its id and time are set here.
func (f *Fake) Publish(e services.Event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.publish(e)
}

// put stores a status and tells of it. Called with the lock held.
func (f *Fake) put(kind services.EventKind, s services.Status) {
	f.rev++
	s.ID, s.Rev = s.Name, f.rev
	f.status[s.Name] = s
	f.publish(services.Event{Kind: kind, Server: s.Name, Message: s.Name + " is " + string(s.Phase), Status: &s})
}

// publish is called with the lock held.
func (f *Fake) publish(e services.Event) {
	f.last++
	e.ID, e.At = f.last, services.Time{Time: time.Now()}
	f.events = append(f.events, e)
	if len(f.events) > Retained {
		f.events = slices.Clone(f.events[len(f.events)-Retained:])
	}
	close(f.news)
	f.news = make(chan struct{})
}

// List implements services.Control.
func (f *Fake) List(context.Context) ([]services.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := make([]services.Status, 0, len(f.status))
	known := make(map[string]bool)
	for _, s := range f.servers {
		list = append(list, f.status[s.Name])
		known[s.Name] = true
	}
	configured := len(list)
	for name, s := range f.status {
		if !known[name] {
			list = append(list, s)
		}
	}
	slices.SortFunc(list[configured:], func(a, b services.Status) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return list, nil
}

// Get implements services.Control.
func (f *Fake) Get(_ context.Context, name string) (services.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.status[name]
	if !ok {
		return s, services.Errorf(services.NotFound, "there is no server %q", name)
	}
	return s, nil
}

// Do implements services.Control.
func (f *Fake) Do(_ context.Context, order services.Order) ([]services.Status, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.check(order); err != nil {
		return nil, err
	}
	f.orders = append(f.orders, order)
	var out []services.Status
	done := make(map[string]bool)
	for _, name := range order.Servers {
		if done[name] {
			continue
		}
		done[name] = true
		if order.Orphan != 0 {
			s := f.status[name]
			s.Orphaned, s.OrphanedPID, s.OrphanKind, s.OrphanCommand, s.Running = false, 0, nil, "", false
			f.put(services.EventOrphan, s)
		} else {
			f.act(order.Action, name)
		}
	}
	for _, name := range order.Servers {
		if s, ok := f.status[name]; ok && done[name] {
			done[name] = false
			out = append(out, s)
		}
	}
	return out, nil
}

// check refuses an order as a whole. Called with the lock held.
func (f *Fake) check(order services.Order) error {
	if f.refuse != nil {
		return f.refuse
	}
	switch order.Action {
	case services.Start, services.Stop, services.Restart, services.Kill:
	default:
		return services.Errorf(services.Invalid, "%q is not an action: use start, stop, restart or kill", order.Action)
	}
	if len(order.Servers) == 0 {
		return services.Errorf(services.Invalid, "no server was named")
	}
	if order.Orphan != 0 && (order.Action != services.Stop || len(order.Servers) != 1) {
		return services.Errorf(services.Invalid, "a foreign process can only be stopped, and for one server at a time")
	}
	for _, name := range order.Servers {
		s, ok := f.status[name]
		up := order.Action == services.Start || order.Action == services.Restart
		switch {
		case !ok:
			return services.Errorf(services.NotFound, "there is no server %q", name)
		case order.Orphan != 0 && int(s.OrphanedPID) != order.Orphan:
			return services.Errorf(services.Conflict, "the port of %s is not held by pid %d", name, order.Orphan)
		case up && s.OrphanedPID != 0:
			return services.Errorf(services.Conflict, "port %d of %s is held by pid %d (%s)", s.Port, name, s.OrphanedPID, s.OrphanCommand)
		}
	}
	return nil
}

// act carries out an action. Called with the lock held.
func (f *Fake) act(action services.Action, name string) {
	switch action {
	case services.Start:
		f.start(name)
	case services.Restart:
		if f.stop(name, services.Up) {
			f.start(name)
		}
	case services.Stop, services.Kill:
		f.stop(name, services.Down)
	}
}

func (f *Fake) start(name string) {
	s := f.status[name]
	for _, needed := range s.DependsOn {
		f.start(needed)
	}
	if s.Phase == services.Running || s.Phase == services.Starting {
		return
	}
	s.Want, s.Phase = services.Up, services.Starting
	f.put(services.EventChanged, s)
	if f.held[name] {
		return
	}
	f.pid++
	healthy := true
	s.Phase, s.Running, s.PID, s.Healthy = services.Running, true, f.pid, &healthy
	s.Run, s.StartedAt = fmt.Sprintf("%016x", int(f.pid)), services.Time{Time: time.Now()}
	f.put(services.EventStarted, s)
}

// stop returns whether the server is down now.
func (f *Fake) stop(name string, want services.Want) bool {
	s := f.status[name]
	if !s.Running {
		if s.Want != want || s.Phase != services.Stopped {
			s.Want, s.Phase = want, services.Stopped
			f.put(services.EventChanged, s)
		}
		return true
	}
	s.Want, s.Phase = want, services.Stopping
	f.put(services.EventChanged, s)
	if f.held[name] {
		return false
	}
	s.Phase, s.Running, s.PID, s.Healthy, s.Run = services.Stopped, false, 0, nil, ""
	s.Exit = &services.Exit{Code: 0, At: time.Now(), Seen: true}
	f.put(services.EventExited, s)
	if s.OrphanKind != nil && *s.OrphanKind == services.Unconfigured {
		delete(f.status, name)
		f.publish(services.Event{Kind: services.EventRemoved, Server: name, Message: name + " is gone"})
	}
	return true
}

// Watch implements services.Control.
func (f *Fake) Watch(ctx context.Context, after uint64) iter.Seq2[services.Event, error] {
	if after == services.Now {
		f.mu.Lock()
		after = f.last
		f.mu.Unlock()
	}
	return func(yield func(services.Event, error) bool) {
		at := after
		for ctx.Err() == nil {
			ready, news := f.since(at)
			for _, e := range ready {
				if ctx.Err() != nil || !yield(e, nil) {
					return
				}
				at = e.ID
			}
			if len(ready) > 0 {
				continue
			}
			select {
			case <-news:
			case <-ctx.Done():
			}
		}
	}
}

// Last returns the id of the latest event.
func (f *Fake) Last() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last
}

// since returns what was published after an id, and what is closed by the
// next event.
func (f *Fake) since(at uint64) ([]services.Event, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	oldest := f.last - uint64(len(f.events)) // the id before the first that is kept
	if at < oldest || at > f.last {
		reset := services.Event{ID: oldest, At: services.Time{Time: time.Now()}, Kind: services.EventReset, Message: "events were missed: list again"}
		return append([]services.Event{reset}, f.events...), f.news
	}
	return slices.Clone(f.events[at-oldest:]), f.news
}
