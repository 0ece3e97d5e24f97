package history

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// longestWait is how long a reader waits for what has just happened to be written.
const longestWait = 250 * time.Millisecond

// progress is how far the file is behind what has happened.
type progress struct {
	told    atomic.Uint64 // events so far
	written atomic.Uint64 // of them; those given up count, too
	stuck   atomic.Bool   // the file cannot be written
	asked   chan struct{} // somebody waits for the rest

	mu   sync.Mutex    // guards what follows
	more chan struct{} // closed when written grows
}

func newProgress() *progress {
	return &progress{asked: make(chan struct{}, 1), more: make(chan struct{})}
}

// wrote notes that so many more events are written.
func (p *progress) wrote(count int) {
	p.written.Add(uint64(count))
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.more)
	p.more = make(chan struct{})
}

// catchUp has what has happened so far written now, and waits for that as long
// as longestWait: who asks right after an order wants to see what came of it.
func (p *progress) catchUp(ctx context.Context) {
	told := p.told.Load()
	if p.written.Load() >= told || p.stuck.Load() {
		return
	}
	limit := time.NewTimer(longestWait)
	defer limit.Stop()
	for {
		p.mu.Lock()
		more := p.more
		p.mu.Unlock()
		if p.written.Load() >= told {
			return
		}
		wake(p.asked)
		select {
		case <-more:
		case <-limit.C:
			return
		case <-ctx.Done():
			return
		}
	}
}
