package remote_test

import (
	"testing"
	"time"

	"tend/services"
	"tend/services/remote"
)

// watched receives what a watch yields until it ends.
type watched struct {
	events <-chan services.Event
	err    <-chan error
}

func watch(t *testing.T, m *manager, after uint64) watched {
	t.Helper()
	events, failed := make(chan services.Event), make(chan error, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e, err := range m.client.Watch(t.Context(), after) {
			if err != nil {
				failed <- err
				return
			}
			select {
			case events <- e:
			case <-t.Context().Done():
				return
			}
		}
	}()
	t.Cleanup(func() { <-done })
	return watched{events, failed}
}

func (w watched) next(t *testing.T) services.Event {
	t.Helper()
	select {
	case e := <-w.events:
		return e
	case err := <-w.err:
		t.Fatalf("the watch ended: %v", err)
	}
	panic("unreachable")
}

func TestAWatchGoesOnWithTheNextManager(t *testing.T) {
	socket := socketIn(t)
	first := serve(t, socket)
	first.Publish(services.Event{Kind: services.EventLog, Message: "one"})
	w := watch(t, first, 0)
	if e := w.next(t); e.Kind != services.EventReset {
		t.Fatalf("got %+v, want a reset", e)
	}
	one := w.next(t)
	if one.Message != "one" {
		t.Fatalf("got %+v", one)
	}
	first.end()
	serve(t, socket, services.Event{Kind: services.EventLog, Message: "of another life, with the id of the one before"},
		services.Event{Kind: services.EventLog, Message: "two"})
	if e := w.next(t); e.Message != "two" || e.ID != one.ID+1 {
		t.Errorf("got %+v, want the event after the last one seen", e)
	}
}

func TestAWatchThatHasSeenNothingIsResetByABreak(t *testing.T) {
	m := serve(t, socketIn(t))
	m.breaks.Store(1)
	w := watch(t, m, services.Now)
	if e := w.next(t); e.Kind != services.EventReset {
		t.Fatalf("got %+v, want a reset, since events may have been missed", e)
	}
	m.Publish(services.Event{Kind: services.EventLog, Message: "news"})
	if e := w.next(t); e.Message != "news" {
		t.Errorf("got %+v", e)
	}
}

func TestAQuietWatchGoesOnWhereItBegan(t *testing.T) {
	m := serve(t, socketIn(t))
	m.Publish(services.Event{Kind: services.EventLog, Message: "before"})
	w := watch(t, m, services.Now)
	<-m.begun
	m.end()
	serve(t, m.socket, services.Event{Kind: services.EventLog, Message: "before"}, services.Event{Kind: services.EventLog, Message: "while nobody listened"})
	if e := w.next(t); e.Message != "while nobody listened" {
		t.Errorf("got %+v", e)
	}
}

func TestAWatchWithoutAnybodyToGoOnWithEnds(t *testing.T) {
	m := serve(t, socketIn(t))
	remote.SetPatience(m.client, time.Millisecond)
	w := watch(t, m, services.Now)
	alive, err := m.client.Attend(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	alive.Close()
	m.end()
	if err := <-w.err; services.KindOf(err) != services.Unavailable {
		t.Errorf("got %v", err)
	}
}
