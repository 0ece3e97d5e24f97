package orchestrator

import (
	"context"
	"reflect"

	"tend/services"
)

// fetch reads the secrets of a server for one spawn, in a goroutine of its own:
// a command may take seconds, in which the unit still has to hear orders. The
// machine is spawning all the while. A nil fetch is none.
type fetch struct {
	cancel context.CancelFunc
	given  bool // up, by the unit
	of     map[string]services.Secret
	done   chan struct{}     // closed when the goroutine has ended
	values map[string]string // written before done is closed, read after
	err    error
}

// beginFetch starts the goroutine; abandon or fetched waits for it.
func (u *unit) beginFetch() *fetch {
	ctx, cancel := context.WithCancel(context.Background())
	f := &fetch{cancel: cancel, of: u.server().Secrets, done: make(chan struct{})}
	server := *u.server()
	go func() {
		defer u.wake()
		defer close(f.done)
		if u.trades.Secrets == nil {
			f.err = services.Errorf(services.Invalid, "nobody here can read its secrets")
			return
		}
		f.values, f.err = u.trades.Secrets.Read(ctx, server)
	}()
	return f
}

func (f *fetch) ended() <-chan struct{} {
	if f == nil {
		return nil
	}
	return f.done
}

// giveUp lets the fetch fail soon.
func (f *fetch) giveUp() {
	if f != nil {
		f.given = true
		f.cancel()
	}
}

// abandon ends it and waits until it has ended.
func (f *fetch) abandon() {
	if f != nil {
		f.cancel()
		<-f.done
	}
}

// fetched goes on with the spawn, or reads again where it was given up, or the
// configuration changed, before the server was wanted after all.
func (u *unit) fetched() {
	f := u.fetch
	u.fetch = nil
	f.cancel()
	if u.m.Want == services.Up && (f.given || !reflect.DeepEqual(f.of, u.server().Secrets)) {
		u.fetch = u.beginFetch()
		return
	}
	switch {
	case f.err != nil:
		u.healthy, u.ailing, u.holder = nil, "", nil
		u.feed(u.spawnFailed(f.err, endedBadly))
	case u.m.Want == services.Down:
		u.feed(u.spawnFailed(services.Errorf(services.Unavailable, "it was stopped first"), endedBadly))
	default:
		u.feed(u.spawn(f.values))
	}
}
