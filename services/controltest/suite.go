package controltest

import (
	"context"
	"slices"
	"testing"
	"time"

	"tend/services"
)

// Servers is the configuration that the suite needs, with nothing running at
// the beginning: each is a program that runs until it is told to end.
func Servers() []services.Server {
	one := func(name string, needs ...string) services.Server {
		return services.Server{
			Name: name, Command: services.Command{Argv: []string{"sleep", "1000"}}, DependsOn: services.DependOn(needs...), Umask: -1,
			Restart: services.RestartOnFailure, Stop: services.StopPolicy{Signal: 15, Timeout: 5 * time.Second, To: services.ToGroup},
			Backoff: services.Backoff{Min: 10 * time.Millisecond, Max: time.Second, Reset: time.Minute},
		}
	}
	return []services.Server{one("web"), one("db"), one("api", "db"), one("cache")}
}

// patience bounds each step: no step takes long unless it is broken.
const patience = 20 * time.Second

// Run holds a Control to its contract. open returns one that begins with
// Servers, all stopped, for each test anew.
func Run(t *testing.T, open func(t *testing.T) services.Control) {
	for _, test := range []struct {
		name string
		run  func(*bench)
	}{
		{"the list has the order of the configuration", listOrder},
		{"a server that is not there is not found", unknown},
		{"a started server runs and is wanted", startRuns},
		{"starting a server that runs changes nothing", startTwice},
		{"starting a server starts what it depends on", startDependency},
		{"a stopped server has no process and says how it ended", stopStops},
		{"stopping a server that is stopped succeeds", stopTwice},
		{"a killed server is not wanted any more", killStops},
		{"a restarted server is another process", restartReplaces},
		{"restarting a server that is stopped starts it", restartStarts},
		{"an order for several servers is answered in the order of their names in it", several},
		{"an order with an unknown name is carried out for none", allOrNothing},
		{"an order for nobody is invalid", nobody},
		{"an action that does not exist is invalid", invalidAction},
		{"an orphan's pid goes only with a stop of one server", invalidOrphan},
		{"watching from now shows nothing of before", watchNow},
		{"watching from an event shows what came after it", watchAfter},
		{"watching from an ancient event begins with a reset", watchAncient},
		{"watching from an event of the future begins with a reset", watchFuture},
		{"watching ends with its context", watchEnds},
		{"events come in one order, with revisions that grow", watchOrder},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			test.run(&bench{T: t, ctx: ctx, control: open(t)})
		})
	}
}

// bench is what a test of the suite works with.
type bench struct {
	*testing.T
	ctx     context.Context
	control services.Control
}

func (b *bench) get(name string) services.Status {
	b.Helper()
	s, err := b.control.Get(b.ctx, name)
	if err != nil {
		b.Fatalf("get %s: %v", name, err)
	}
	return s
}

func (b *bench) do(action services.Action, names ...string) []services.Status {
	b.Helper()
	list, err := b.control.Do(b.ctx, services.Order{Action: action, Servers: names})
	if err != nil {
		b.Fatalf("%s %v: %v", action, names, err)
	}
	return list
}

// until returns the status of a server once it is as wanted.
func (b *bench) until(name, what string, wanted func(services.Status) bool) services.Status {
	b.Helper()
	s := b.get(name)
	if wanted(s) {
		return s
	}
	// Everything that is retained, so that nothing between the look and the
	// watch is missed; what is older than the look does not count.
	for e, err := range b.control.Watch(b.ctx, 0) {
		if err != nil {
			b.Fatalf("watch until %s %s: %v", name, what, err)
		}
		if e.Server == name && e.Status != nil && e.Status.Rev > s.Rev && wanted(*e.Status) {
			return *e.Status
		}
	}
	b.Fatalf("%s never %s: %+v", name, what, b.get(name))
	return s
}

func (b *bench) running(name string) services.Status {
	b.Helper()
	return b.until(name, "ran", func(s services.Status) bool { return s.Phase == services.Running })
}

func (b *bench) stopped(name string) services.Status {
	b.Helper()
	return b.until(name, "stopped", func(s services.Status) bool { return s.Phase == services.Stopped })
}

func (b *bench) refused(order services.Order, kind services.Kind) {
	b.Helper()
	list, err := b.control.Do(b.ctx, order)
	if services.KindOf(err) != kind {
		b.Errorf("%+v: got %v of kind %q (%d statuses), want %q", order, err, services.KindOf(err), len(list), kind)
	}
	if err != nil && err.Error() == "" {
		b.Errorf("%+v: refused without a word", order)
	}
}

func names(list []services.Status) []string {
	var out []string
	for _, s := range list {
		out = append(out, s.Name)
	}
	return out
}

func listOrder(b *bench) {
	list, err := b.control.List(b.ctx)
	if err != nil {
		b.Fatal(err)
	}
	if got, want := names(list), []string{"web", "db", "api", "cache"}; !slices.Equal(got, want) {
		b.Errorf("listed %v, want %v", got, want)
	}
	for _, s := range list {
		if s.ID != s.Name || s.Phase != services.Stopped || s.Want != services.Down || s.Running || s.PID != 0 || s.Rev == 0 {
			b.Errorf("at the beginning: %+v", s)
		}
		one := b.get(s.Name)
		if one.Name != s.Name || one.Rev < s.Rev {
			b.Errorf("got %+v, listed %+v", one, s)
		}
	}
}

func unknown(b *bench) {
	for _, name := range []string{"nobody", "", "a/b", "..", "käse", "web "} {
		if _, err := b.control.Get(b.ctx, name); services.KindOf(err) != services.NotFound {
			b.Errorf("get %q: %v, want not found", name, err)
		}
		b.refused(services.Order{Action: services.Stop, Servers: []string{name}}, services.NotFound)
	}
}

func several(b *bench) {
	list := b.do(services.Start, "cache", "web", "cache")
	if got, want := names(list), []string{"cache", "web"}; !slices.Equal(got, want) {
		b.Errorf("answered %v, want %v", got, want)
	}
	b.running("cache")
	b.running("web")
}

func allOrNothing(b *bench) {
	b.do(services.Start, "web")
	web := b.running("web")
	for _, action := range []services.Action{services.Start, services.Stop, services.Restart, services.Kill} {
		b.refused(services.Order{Action: action, Servers: []string{"web", "cache", "nobody"}}, services.NotFound)
	}
	if s := b.get("web"); s.Run != web.Run || s.Want != services.Up {
		b.Errorf("web was touched: %+v, before %+v", s, web)
	}
	if s := b.get("cache"); s.Want != services.Down || s.Run != "" {
		b.Errorf("cache was touched: %+v", s)
	}
}

func nobody(b *bench) {
	b.refused(services.Order{Action: services.Start}, services.Invalid)
}

func invalidAction(b *bench) {
	for _, action := range []services.Action{"", "dance", "START", "stop "} {
		b.refused(services.Order{Action: action, Servers: []string{"web"}}, services.Invalid)
	}
	if s := b.get("web"); s.Want != services.Down {
		b.Errorf("web was touched: %+v", s)
	}
}

func invalidOrphan(b *bench) {
	for _, action := range []services.Action{services.Start, services.Restart, services.Kill} {
		b.refused(services.Order{Action: action, Servers: []string{"web"}, Orphan: 4}, services.Invalid)
	}
	b.refused(services.Order{Action: services.Stop, Servers: []string{"web", "db"}, Orphan: 4}, services.Invalid)
	b.refused(services.Order{Action: services.Stop, Servers: []string{"web"}, Orphan: 4}, services.Conflict)
}
