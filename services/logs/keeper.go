package logs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// The pace of the keeper. A log that is written to is looked at often enough
// that 100 MB/s cannot fill it by its limit above what it may have, and more
// often when it is filled faster.
const (
	slowest  = time.Second            // between looks at a log that is being written
	casual   = 250 * time.Millisecond // the fastest for one that only might become fast
	fastest  = 10 * time.Millisecond
	followed = 50 * time.Millisecond // where somebody follows
	blind    = 3 * time.Second       // between looks at a quiet log that cannot be watched
	burst    = 100 << 20             // bytes a second that are reckoned with
	diskPace = time.Second           // between looks at the disk's free space
	together = 5 * time.Millisecond  // logs that are due within it are looked at in one round
)

// keeper belongs to the goroutine that runs Run: nobody else touches it.
type keeper struct {
	store   *Store
	watcher *watcher // nil where there is none
	paces   map[*log]*pace
	armed   map[int]*log // by the watch's id
	disk    disk
	looked  time.Time // at the disk
	next    time.Time // when the first log is due

	compacting chan struct{} // holds one while a file is made short again: the disk serves one well
	compacted  sync.WaitGroup
}

// pace is how a log is kept at present.
type pace struct {
	due  time.Time
	at   time.Time // of the last look
	end  Address   // what it saw
	wait time.Duration
	id   int // of its watch while it is quiet, 0 without one
}

// Run keeps the logs small, notices what servers write for those who follow,
// and returns when ctx ends. It is called once. Followers end with it.
func (s *Store) Run(ctx context.Context) error {
	defer close(s.ended)
	k := &keeper{store: s, paces: map[*log]*pace{}, armed: map[int]*log{}, disk: disk{store: s}, compacting: make(chan struct{}, 1)}
	defer k.compacted.Wait()
	if w, err := s.options.watch(); err == nil {
		k.watcher = w
		defer w.close()
	} else if !errors.Is(err, errors.ErrUnsupported) {
		s.options.Log.Warn("logs are looked at in turn", "err", err)
	}
	if err := k.run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("keeping logs: %w", err)
	}
	return nil
}

func (o Options) watch() (*watcher, error) {
	if o.blind {
		return nil, errors.ErrUnsupported
	}
	return newWatcher()
}

func (k *keeper) run(ctx context.Context) error {
	var fired <-chan []int
	if k.watcher != nil {
		fired = k.watcher.news
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			for l := range k.paces { // nobody may look at it again
				for l.retainStep(0) {
				}
			}
			return ctx.Err()
		case <-k.store.poke:
			for _, l := range k.store.roused() {
				k.rouse(l)
			}
		case ids := <-fired:
			for _, id := range ids {
				k.fire(id)
			}
		case <-timer.C:
		}
		if !k.next.After(time.Now()) {
			k.round()
		}
		timer.Reset(max(time.Until(k.next), 0))
	}
}

// rouse makes a log active, whatever it was.
func (k *keeper) rouse(l *log) {
	p := k.paces[l]
	if p == nil {
		p = &pace{}
		k.paces[l] = p
	}
	delete(k.armed, p.id)
	p.id = 0
	now := time.Now()
	l.mu.RLock()
	p.at, p.end = now, l.cur.end()
	p.due = now.Add(l.patience(0))
	l.mu.RUnlock()
	if l.followers.Load() > 0 {
		p.due = now
	}
	k.await(p)
}

// await has the next round come in time for a log.
func (k *keeper) await(p *pace) {
	if p.due.Before(k.next) {
		k.next = p.due
	}
}

// fire is told by the watcher that a quiet log has changed; -1 is all of them.
func (k *keeper) fire(id int) {
	if l := k.armed[id]; l != nil {
		k.rouse(l)
	}
	if id < 0 {
		for _, l := range k.armed {
			k.rouse(l)
		}
	}
}

// round looks at every log that is due.
func (k *keeper) round() {
	now := time.Now()
	k.next = now.Add(time.Hour)
	for l, p := range k.paces {
		if p.id == 0 && p.due.Before(now.Add(together)) {
			k.visit(l, p)
		}
		if p.id == 0 {
			k.await(p)
		}
	}
}

// visit looks at a log, keeps it small and decides when to look again.
func (k *keeper) visit(l *log, p *pace) {
	now := time.Now()
	l.mu.Lock()
	l.look(now.UnixNano())
	l.misplaced()
	l.reserve()
	end, limit := l.cur.end(), l.limit
	l.unlock()

	rate, quiet := 0.0, end == p.end
	if end.Gen == p.end.Gen {
		rate = float64(end.Off-p.end.Off) / max(now.Sub(p.at), time.Millisecond).Seconds()
	}
	if rate >= gush && !k.disk.spares(gushMost*limit) {
		rate = gush - 1
	}
	if l.keepSmall(rate) && !k.compact(l) {
		quiet = false // it has to be looked at again
	}
	if now.Sub(k.looked) >= diskPace {
		k.looked = now
		k.disk.check()
	}
	l.mu.RLock()
	p.wait = l.patience(rate)
	l.mu.RUnlock()
	p.at, p.end, p.due = now, end, time.Now().Add(p.wait)
	if quiet {
		k.rest(l, p)
	}
}

// compact makes the file of a log short again while all logs are looked at. It
// reports false while it does that to another.
func (k *keeper) compact(l *log) bool {
	select {
	case k.compacting <- struct{}{}:
	default:
		return false
	}
	k.compacted.Go(func() {
		l.compact()
		<-k.compacting
	})
	return true
}

// rest waits for the watcher instead of the clock.
func (k *keeper) rest(l *log, p *pace) {
	if k.watcher != nil {
		l.mu.RLock()
		if l.cur.file != nil {
			if id, err := k.watcher.arm(l.cur.file); err == nil {
				p.id = id
				k.armed[id] = l
			}
		}
		l.mu.RUnlock()
		l.mu.Lock()
		again := l.look(time.Now().UnixNano()) // written before the watch was there
		l.unlock()
		if again && p.id != 0 {
			k.rouse(l)
			return
		}
	}
	if p.id == 0 {
		p.due = time.Now().Add(blind)
		if l.followers.Load() > 0 {
			p.due = time.Now().Add(followed)
		}
	}
}

// patience is how long a log that grows at rate can be left alone. The caller
// holds the lock.
func (l *log) patience(rate float64) time.Duration {
	used := l.cur.kept()
	if l.old != nil {
		used += l.old.kept()
	}
	room := float64(max(l.most(rate)+l.limit-used, 0))
	seconds := func(s float64) time.Duration { return time.Duration(min(s, 10) * float64(time.Second)) }
	wait := min(slowest, max(casual, seconds(0.8*room/burst)))
	if rate > 0 {
		wait = min(wait, max(fastest, seconds(room/4/rate)))
	}
	if l.followers.Load() > 0 {
		wait = min(wait, followed)
	}
	return wait
}
