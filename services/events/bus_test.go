package events_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"tend/services"
	"tend/services/events"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// take reads n events of a watch.
func take(t *testing.T, bus *events.Bus, after uint64, n int) []services.Event {
	t.Helper()
	var out []services.Event
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for e, err := range bus.Watch(ctx, after) {
		if err != nil {
			t.Fatal(err)
		}
		if out = append(out, e); len(out) == n {
			break
		}
	}
	return out
}

func publish(bus *events.Bus, from, to int) {
	for i := from; i < to; i++ {
		bus.Publish(services.Event{Kind: services.EventChanged, Message: fmt.Sprint(i)})
	}
}

func wantMessages(t *testing.T, got []services.Event, from int) {
	t.Helper()
	for i, e := range got {
		if want := fmt.Sprint(from + i); e.Message != want {
			t.Fatalf("event %d is %q, want %q", i, e.Message, want)
		}
	}
}

func TestEventsGetIDsThatGrowByOneAndTheirTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := events.New()
		before := bus.Last()
		status := &services.Status{Name: "api"}
		bus.Publish(services.Event{ID: 7, Kind: services.EventStarted, Server: "api", Message: "api: runs", Status: status})
		<-time.After(time.Second)
		publish(bus, 0, 1)
		got := take(t, bus, before, 2)
		if got[0].ID != before+1 || got[1].ID != before+2 || bus.Last() != before+2 {
			t.Errorf("ids %d, %d after %d, last %d", got[0].ID, got[1].ID, before, bus.Last())
		}
		if d := got[1].At.Sub(got[0].At.Time); d != time.Second || got[1].At.Time != time.Now() {
			t.Errorf("times %v and %v, now %v", got[0].At, got[1].At, time.Now())
		}
		if e := got[0]; e.Kind != services.EventStarted || e.Server != "api" || e.Message != "api: runs" || e.Status != status {
			t.Errorf("event is %+v", e)
		}
	})
}

func TestIDsOfTheNextLifeAreLargerEvenAMillisecondLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := events.New()
		publish(first, 0, 1000)
		<-time.After(time.Millisecond)
		second := events.New()
		publish(second, 0, 1)
		if second.Last() <= first.Last() {
			t.Errorf("second life has id %d, first had %d", second.Last(), first.Last())
		}
	})
}

func TestIDsFitIntoTheNumbersOfJavaScript(t *testing.T) {
	if last := events.New().Last(); last == 0 || last >= 1<<53 {
		t.Errorf("id %d", last)
	}
	// As New computes it, on the last day that the documentation promises.
	if last := time.Date(2248, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli() << 10; last >= 1<<53 {
		t.Errorf("id %d in 2248", last)
	}
}

func TestNowBeginsWithTheNextEventAfterTheCall(t *testing.T) {
	bus := events.New()
	publish(bus, 0, 5)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	watch := bus.Watch(ctx, services.Now)
	publish(bus, 5, 8) // before anybody ranges
	var got []services.Event
	for e := range watch {
		if got = append(got, e); len(got) == 3 {
			break
		}
	}
	wantMessages(t, got, 5)
}

func TestAWatchResumesAfterTheLastIDSeen(t *testing.T) {
	bus := events.New()
	start := bus.Last()
	publish(bus, 0, events.Retained)
	wantMessages(t, take(t, bus, start, events.Retained), 0)
	wantMessages(t, take(t, bus, start+100, 200), 100)
}

func TestWhoMissedEventsIsResetAndGetsWhatIsRetained(t *testing.T) {
	for name, after := range map[string]func(first, last uint64) uint64{
		"nothing was ever seen":           func(uint64, uint64) uint64 { return 0 },
		"the oldest retained was missed":  func(first, _ uint64) uint64 { return first + 9 },
		"an id of a life before":          func(first, _ uint64) uint64 { return first - 1<<20 },
		"an id that was never given":      func(_, last uint64) uint64 { return last + 1 },
		"the largest id that is not Now":  func(uint64, uint64) uint64 { return services.Now - 1 },
		"the position before this life's": func(first, _ uint64) uint64 { return first },
	} {
		t.Run(name, func(t *testing.T) {
			bus := events.New()
			first := bus.Last()
			publish(bus, 0, events.Retained+10)
			got := take(t, bus, after(first, bus.Last()), 1+events.Retained)
			if e := got[0]; e.Kind != services.EventReset || e.ID != first+10 || e.Status != nil || e.Message == "" || e.At.IsZero() {
				t.Errorf("the first event is %+v", e)
			}
			wantMessages(t, got[1:], 10)
			if resumed := take(t, bus, got[0].ID, 1); resumed[0].Message != "10" {
				t.Errorf("resumed after the reset with %q", resumed[0].Message)
			}
		})
	}
}

func TestASubscriberThatIsLappedIsResetAndNeverSeesAnEventTwice(t *testing.T) {
	bus := events.New()
	publish(bus, 0, 10)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var seen []uint64
	resets := 0
	for e := range bus.Watch(ctx, bus.Last()-10) {
		if len(seen) == 0 { // while it looks at its first event
			publish(bus, 10, 10+2*events.Retained)
		}
		if e.Kind == services.EventReset {
			resets++
			continue
		}
		if n := len(seen); n > 0 && e.ID <= seen[n-1] {
			t.Fatalf("id %d after %d", e.ID, seen[n-1])
		}
		seen = append(seen, e.ID)
		if e.ID == bus.Last() {
			break
		}
	}
	if resets != 1 || len(seen) != 10+events.Retained {
		t.Errorf("%d resets, %d events", resets, len(seen))
	}
}

func TestAWatchEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := events.New()
		publish(bus, 0, 3)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan int)
		go func() {
			n := 0
			for range bus.Watch(ctx, bus.Last()-3) {
				n++
			}
			ended <- n
		}()
		synctest.Wait() // it has seen all and waits
		cancel()
		if n := <-ended; n != 3 {
			t.Errorf("saw %d events", n)
		}
		for range bus.Watch(ctx, 0) {
			t.Error("a watch yields although its context has ended")
		}
	})
}

func TestPublishingWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bus := events.New()
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range 10 { // ten subscribers that stop reading at their first event
			wg.Go(func() {
				for range bus.Watch(ctx, services.Now) {
					<-ctx.Done()
				}
			})
		}
		synctest.Wait()
		publish(bus, 0, 3*events.Retained)
		cancel()
		wg.Wait()
	})
}

func TestEverySubscriberSeesEveryEventOfManyPublishersInOneOrder(t *testing.T) {
	bus := events.New()
	start := bus.Last()
	const publishers, each, subscribers = 8, 400, 4 // fits into the ring
	orders := make([][]string, subscribers)
	var watchers, wg sync.WaitGroup
	for i := range subscribers {
		watchers.Go(func() {
			for e := range bus.Watch(t.Context(), start) {
				if e.ID != start+uint64(len(orders[i]))+1 {
					t.Errorf("id %d at position %d", e.ID, len(orders[i]))
				}
				if orders[i] = append(orders[i], e.Message); len(orders[i]) == publishers*each {
					return
				}
			}
		})
	}
	for p := range publishers {
		wg.Go(func() {
			for n := range each {
				bus.Publish(services.Event{Message: fmt.Sprint(p, " ", n)})
			}
		})
	}
	wg.Wait()
	watchers.Wait()
	for i := range subscribers {
		next := make(map[string]int)
		for n, m := range orders[i] {
			if m != orders[0][n] {
				t.Fatalf("subscriber %d has %q at %d, another has %q", i, m, n, orders[0][n])
			}
			var p, k int
			fmt.Sscan(m, &p, &k) //nolint:errcheck // compared below
			if k != next[fmt.Sprint(p)] {
				t.Fatalf("publisher %d: event %d, want %d", p, k, next[fmt.Sprint(p)])
			}
			next[fmt.Sprint(p)]++
		}
	}
}

// BenchmarkPublish is one event with nobody watching, and with watchers.
func BenchmarkPublish(b *testing.B) {
	for _, watchers := range []int{0, 1, 20} {
		b.Run(fmt.Sprintf("watchers=%d", watchers), func(b *testing.B) {
			bus := events.New()
			ctx, cancel := context.WithCancel(b.Context())
			var wg sync.WaitGroup
			for range watchers {
				wg.Go(func() {
					for range bus.Watch(ctx, services.Now) { //nolint:revive // it only looks
					}
				})
			}
			status := &services.Status{Name: "api"}
			b.ReportAllocs()
			for b.Loop() {
				bus.Publish(services.Event{Kind: services.EventChanged, Server: "api", Message: "api: runs", Status: status})
			}
			cancel()
			wg.Wait()
		})
	}
}
