package monitor

import (
	"context"
	"iter"
	"math/rand/v2"
	"regexp"
	"sync"
	"time"

	"tend/services"
)

// How many attempts there are at a time. To wait for a place is no failure. A
// program takes a process, a connection little more than a descriptor.
const (
	programs    = 64
	connections = 512
)

// oversleep is how much longer than its timeout an attempt takes for a manager
// that was halted meanwhile.
const oversleep = 200 * time.Millisecond

// Source says what has found something out about a run.
type Source string

// The sources.
const (
	FromPort     Source = "port"
	FromReady    Source = "ready"
	FromLive     Source = "live"
	FromSilence  Source = "silence"
	FromWatchdog Source = "watchdog"
)

// Verdict is what was found out about a run.
type Verdict struct {
	Server, Run string
	From        Source
	Passed      bool
	Why         string // it did not
	At          time.Time
	News        bool // the verdict is another one than before; else only the time is new
}

// Watched is a run that is to be probed.
type Watched struct {
	Server    services.Server
	Run       string
	StartedAt time.Time
	After     string // where its output begins, as Lines understands it
	Ready     bool   // it was found ready before
}

// ProberOptions says how to probe and whom to tell.
type ProberOptions struct {
	// Exec runs a program as the server would be run, until ctx ends. An error
	// says how it ended.
	Exec func(ctx context.Context, server services.Server, argv []string) error
	// Lines yields what a server writes from a place on, until ctx ends.
	Lines func(ctx context.Context, server, after string) iter.Seq[string]
	// Output returns when a server has written something last.
	Output func(server string) time.Time
	Eyes   Eyes
	// Report takes verdicts; it must not block for long.
	Report func(Verdict)
}

// Prober runs the ready and live checks of servers. Each probe is a goroutine,
// so that there are never two attempts of one at a time. Use NewProber.
type Prober struct {
	o           ProberOptions
	ctx         context.Context // ends with Run
	end         context.CancelFunc
	programs    chan struct{} // a place each
	connections chan struct{}
	work        sync.WaitGroup

	mu   sync.Mutex // guards what follows
	runs map[string]context.CancelFunc
}

// NewProber makes a prober; it works from the first Begin on, until Run ends.
func NewProber(o ProberOptions) *Prober {
	p := &Prober{o: o, programs: make(chan struct{}, programs), connections: make(chan struct{}, connections), runs: make(map[string]context.CancelFunc)}
	p.ctx, p.end = context.WithCancel(context.Background())
	return p
}

// Run lives until ctx ends, and with it every probe.
func (p *Prober) Run(ctx context.Context) error {
	<-ctx.Done()
	p.mu.Lock()
	p.end()
	p.mu.Unlock()
	p.work.Wait()
	return nil
}

// Begin probes a run of a server from now on, and no other of it. It never
// blocks.
func (p *Prober) Begin(w Watched) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if end := p.runs[w.Server.Name]; end != nil {
		end()
	}
	if p.ctx.Err() != nil || w.Server.Ready == nil && w.Server.Live == nil && w.Server.Silence.Every == 0 {
		delete(p.runs, w.Server.Name)
		return
	}
	ctx, end := context.WithCancel(p.ctx)
	p.runs[w.Server.Name] = end
	p.work.Go(func() { p.follow(ctx, w) })
}

// End probes a server no more.
func (p *Prober) End(server string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if end := p.runs[server]; end != nil {
		end()
		delete(p.runs, server)
	}
}

// follow probes a run: first whether it is ready, then whether it lives.
func (p *Prober) follow(ctx context.Context, w Watched) {
	if ready := w.Server.Ready; ready != nil && !w.Ready && !ready.Notify { // who notifies says it by itself
		p.probe(ctx, w, *ready, FromReady)
	} else if ready != nil && ready.Notify && !w.Ready {
		return // begun again once it has said it
	}
	var both sync.WaitGroup
	if w.Server.Live != nil {
		both.Go(func() { p.probe(ctx, w, *w.Server.Live, FromLive) })
	}
	if w.Server.Silence.Every > 0 {
		both.Go(func() { p.listen(ctx, w) })
	}
	both.Wait()
}

// probe makes attempts until ctx ends or, of ready, until it has passed.
func (p *Prober) probe(ctx context.Context, w Watched, probe services.Probe, from Source) {
	// The clock may have been set back since that was written down.
	wait := max(0, min(probe.Delay, probe.Delay-time.Since(w.StartedAt)))
	if from == FromLive { // those that start together are not asked together
		wait += rand.N(probe.Interval)
	}
	if !pause(ctx, wait) {
		return
	}
	ctx, end := context.WithCancel(ctx)
	defer end() // and whoever reads along for it
	try, err := p.attempts(ctx, w, probe)
	if err != nil {
		try = func(context.Context) error { return err }
	}
	excused := false
	j, said := tally{successes: probe.Successes, failures: probe.Failures}, ""
	for ctx.Err() == nil {
		leave, entered := p.enter(ctx, probe)
		if !entered {
			return
		}
		begun := time.Now()
		err := within(ctx, probe.Timeout, try)
		leave()
		if ctx.Err() != nil {
			return
		}
		// Where we were halted meanwhile the answer may have come and not been
		// read. Once: a machine that is always so late has to be told about.
		if excused = err != nil && !excused && time.Since(begun) > probe.Timeout+oversleep; excused {
			continue
		}
		v := Verdict{Server: w.Server.Name, Run: w.Run, From: from, At: time.Now()}
		v.News = j.take(err == nil)
		v.Passed = j.known && j.passed
		if err != nil {
			v.Why = err.Error()
			v.News = v.News || from == FromReady && v.Why != said // why it still waits
			said = v.Why
		}
		p.o.Report(v)
		if from == FromReady && v.Passed || !pause(ctx, probe.Interval-time.Since(begun)) {
			return
		}
	}
}

// enter waits for a place for an attempt, false where ctx ended first. Who
// waits for a line takes none: it may wait for long, and costs nothing.
func (p *Prober) enter(ctx context.Context, probe services.Probe) (leave func(), ok bool) {
	places := p.connections
	switch {
	case probe.Log != "":
		return func() {}, true
	case len(probe.Exec) > 0:
		places = p.programs
	}
	select {
	case places <- struct{}{}:
		return func() { <-places }, true
	case <-ctx.Done():
		return nil, false
	}
}

// attempts returns what one attempt is. That of a log takes no time: a
// goroutine reads along.
func (p *Prober) attempts(ctx context.Context, w Watched, probe services.Probe) (attempt, error) {
	if probe.Log == "" {
		return p.checkOf(w, probe)
	}
	expression, err := regexp.Compile(probe.Log)
	if err != nil {
		return nil, err
	}
	seen := make(chan struct{}, 1)
	p.work.Go(func() {
		for line := range p.o.Lines(ctx, w.Server.Name, w.After) {
			if expression.MatchString(line) {
				select {
				case seen <- struct{}{}:
				default: // that is enough
				}
			}
		}
	})
	return func(ctx context.Context) error {
		select {
		case <-seen:
			return nil
		case <-ctx.Done():
			return &unheard{probe.Log}
		}
	}, nil
}

// unheard says that no line came that was waited for.
type unheard struct{ expression string }

func (e *unheard) Error() string { return "no line matches " + e.expression + " in time" }

// listen finds a server unwell that has written nothing for too long. When it
// wrote last is known by the clock on the wall only, which somebody may set: it
// is believed where it fits in between two looks.
func (p *Prober) listen(ctx context.Context, w Watched) {
	silent := false
	looked := time.Now()
	last, written := looked, p.o.Output(w.Server.Name)
	for ctx.Err() == nil {
		now := time.Now()
		if at := p.o.Output(w.Server.Name); !at.Equal(written) {
			last, written = now, at
			if ago := now.Round(0).Sub(at.Round(0)); ago > 0 && ago <= now.Sub(looked) {
				last = now.Add(-ago)
			}
		}
		looked = now
		left := w.Server.Silence.Every - now.Sub(last)
		if (left <= 0) != silent {
			silent = !silent
			v := Verdict{Server: w.Server.Name, Run: w.Run, From: FromSilence, Passed: !silent, At: time.Now(), News: true}
			if silent {
				v.Why = "it has written nothing for " + w.Server.Silence.Every.String()
			}
			p.o.Report(v)
		}
		if left <= 0 {
			left = min(w.Server.Silence.Every, 5*time.Second) // until it speaks again
		}
		pause(ctx, left)
	}
}

// pause waits, and reports false where ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
