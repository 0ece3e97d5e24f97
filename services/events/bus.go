// Package events is the bus: it gives everything that happens its place in
// one order and keeps the latest events, so that a subscriber who was away
// can go on where it was.
//
// The bus knows no subscriber. It keeps a ring; each subscriber has a cursor
// of its own and reads at its own pace. Publishing takes a short lock and
// never waits for anybody. A subscriber that falls behind by more than the
// ring holds is told so by an event of kind EventReset.
//
// A published event belongs to nobody: whoever reads it may keep it, and
// nobody changes what its Status points to.
package events

import (
	"context"
	"iter"
	"sync"
	"time"

	"tend/services"
)

// Retained is how many events the bus keeps.
const Retained = 4096

// batch is how many events a subscriber takes with the lock held.
const batch = 64

// lifeBits is how many ids one millisecond of the wall clock is worth.
const lifeBits = 10

// Bus is the ring of events. Use New.
//
// The ids of one life begin at its first millisecond times 1024 and grow by
// one. Those of the next life are larger as long as this one publishes less
// than 1024 events a millisecond (about 2^20 a second) on the average of its
// whole life; a life that did more would hand numbers to the next that were
// given before. Until the year 2248 they stay below 2^53, up to where
// JavaScript can count. After the clock was set back ids may be smaller than
// those of the life before: a cursor from there is then unknown and its owner
// is told to list again, unless the very same number is retained again.
type Bus struct {
	first uint64 // the id before the first event of this life

	mu   sync.Mutex // guards what follows
	last uint64
	ring []services.Event // of the id first+n at (n-1) % Retained
	news chan struct{}    // closed by the next event; nil while nobody waits
}

// New makes an empty bus and begins a new life of ids.
func New() *Bus {
	first := uint64(time.Now().UnixMilli()) << lifeBits
	return &Bus{first: first, last: first}
}

// Publish gives the event its ID and its time, and shows it to everybody. It
// never blocks. What e.Status points to must not change any more.
func (b *Bus) Publish(e services.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e.At = services.Time{Time: time.Now()}
	b.last++
	e.ID = b.last
	if len(b.ring) < Retained {
		b.ring = append(b.ring, e)
	} else {
		b.ring[b.slot(e.ID)] = e
	}
	if b.news != nil {
		close(b.news)
		b.news = nil
	}
}

// Watch yields, in order, what is retained after the given id and then what
// comes, until ctx ends; it never yields an error. With services.Now it
// begins with the first event that is published after the call of Watch.
//
// Where events were missed (the id is older than what is retained, from
// another life of the manager, or its subscriber was too slow) one event of
// kind EventReset comes first, with the id to resume from, and then everything that is retained.
func (b *Bus) Watch(ctx context.Context, after uint64) iter.Seq2[services.Event, error] {
	if after == services.Now {
		after = b.Last()
	}
	return func(yield func(services.Event, error) bool) {
		cursor := after
		var buf [batch]services.Event
		for ctx.Err() == nil {
			n, news := b.read(cursor, buf[:])
			for _, e := range buf[:n] {
				if ctx.Err() != nil || !yield(e, nil) {
					return
				}
				cursor = e.ID
			}
			if n > 0 {
				continue
			}
			select {
			case <-news:
			case <-ctx.Done():
			}
		}
	}
}

// Last returns the id of the latest event: the position to watch from for
// everything that happens after this call.
func (b *Bus) Last() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.last
}

// read copies events after the cursor. When there are none it returns a
// channel that is closed by the next one.
func (b *Bus) read(cursor uint64, into []services.Event) (n int, news <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := b.last - uint64(len(b.ring)) // the id before the oldest event retained
	if cursor < before || cursor > b.last {
		into[0] = services.Event{
			ID: before, At: services.Time{Time: time.Now()}, Kind: services.EventReset,
			Message: "events were missed: list again",
		}
		return 1, nil
	}
	for n < len(into) && cursor < b.last {
		cursor++
		into[n] = b.ring[b.slot(cursor)]
		n++
	}
	if n == 0 && b.news == nil {
		b.news = make(chan struct{})
	}
	return n, b.news
}

func (b *Bus) slot(id uint64) int { return int((id - b.first - 1) % Retained) }
