package controltest

import (
	"context"
	"sync"
	"time"

	"tend/services"
)

// gathered watches until enough have come.
func (b *bench) gathered(after uint64, enough func([]services.Event) bool) []services.Event {
	b.Helper()
	var out []services.Event
	for e, err := range b.control.Watch(b.ctx, after) {
		if err != nil {
			b.Fatalf("watch after %d: %v", after, err)
		}
		if out = append(out, e); enough(out) {
			return out
		}
	}
	b.Fatalf("watching after %d ended early, with %d events", after, len(out))
	return out
}

// ran is true once the last event says that a server runs.
func ran(name string) func([]services.Event) bool {
	return func(list []services.Event) bool {
		e := list[len(list)-1]
		return e.Server == name && e.Status != nil && e.Status.Phase == services.Running
	}
}

func watchNow(b *bench) {
	b.do(services.Start, "web")
	before := b.running("web")
	first := make(chan services.Event, 1)
	var watching sync.WaitGroup
	ctx, cancel := context.WithCancel(b.ctx)
	defer watching.Wait()
	defer cancel()
	watching.Go(func() {
		for e, err := range b.control.Watch(ctx, services.Now) {
			if err != nil {
				b.Errorf("watch: %v", err)
			}
			first <- e
			return
		}
	})
	// When the watch has begun cannot be seen from outside, so something
	// happens until it sees it; not faster than it can follow.
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	for {
		select {
		case e := <-first:
			if e.Kind == services.EventReset || e.Status == nil || e.Server == "web" && e.Status.Rev <= before.Rev || e.ID == 0 || e.At.IsZero() || e.Message == "" {
				b.Errorf("saw %+v, after %+v", e, before)
			}
			return
		case <-b.ctx.Done():
			b.Fatal("the watch never saw anything")
		case <-pace.C:
			b.do(services.Restart, "cache")
			b.running("cache")
		}
	}
}

func watchAfter(b *bench) {
	b.do(services.Start, "web")
	all := b.gathered(0, ran("web"))
	last := all[len(all)-1].ID
	b.do(services.Start, "cache")
	later := b.gathered(last, ran("cache"))
	for _, e := range later {
		if e.ID <= last || e.Kind == services.EventReset {
			b.Errorf("after %d came %+v", last, e)
		}
	}
	again := b.gathered(last, ran("cache"))
	if again[0].ID != later[0].ID {
		b.Errorf("watching again begins with %d, the first time it was %d", again[0].ID, later[0].ID)
	}
}

func watchAncient(b *bench) {
	b.do(services.Start, "web")
	list := b.gathered(1, ran("web"))
	if list[0].Kind != services.EventReset {
		b.Errorf("begins with %+v, want a reset", list[0])
	}
	for _, e := range list[1:] {
		if e.Kind == services.EventReset {
			b.Errorf("a second reset: %+v", e)
		}
	}
}

func watchFuture(b *bench) {
	b.do(services.Start, "web")
	all := b.gathered(0, ran("web"))
	list := b.gathered(all[len(all)-1].ID+1_000_000, ran("web"))
	if list[0].Kind != services.EventReset {
		b.Errorf("begins with %+v, want a reset", list[0])
	}
}

func watchEnds(b *bench) {
	ctx, cancel := context.WithCancel(b.ctx)
	cancel()
	for e, err := range b.control.Watch(ctx, services.Now) {
		b.Errorf("yielded %+v, %v after its context had ended", e, err)
	}
}

func watchOrder(b *bench) {
	b.do(services.Start, "api", "web", "cache")
	for _, name := range []string{"api", "web", "cache"} {
		b.running(name)
	}
	b.do(services.Stop, "api", "web", "cache", "db")
	last := map[string]services.Status{}
	for _, name := range []string{"api", "web", "cache", "db"} {
		last[name] = b.stopped(name)
	}
	seen := map[string]uint64{}
	events := b.gathered(0, func(list []services.Event) bool {
		e := list[len(list)-1]
		if e.Status != nil {
			seen[e.Server] = e.Status.Rev
		}
		for name, s := range last {
			if seen[name] < s.Rev {
				return false
			}
		}
		return true
	})
	revs := map[string]uint64{}
	for i, e := range events[1:] {
		if e.Kind == services.EventReset || i > 0 && e.ID != events[i].ID+1 {
			b.Errorf("event %d follows %d (%s)", e.ID, events[i].ID, e.Kind)
		}
		if e.Status == nil {
			continue
		}
		if e.Status.Name != e.Server || e.Status.Rev < revs[e.Server] {
			b.Errorf("event %d about %s has the status %+v after revision %d", e.ID, e.Server, *e.Status, revs[e.Server])
		}
		revs[e.Server] = e.Status.Rev
	}
}
