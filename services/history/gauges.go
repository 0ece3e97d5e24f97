package history

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"tend/services"
)

// mostSpans is how many spans of one server wait in memory at most.
const mostSpans = 64

// gauges holds the samples that are not written yet. It is data only; every
// method returns at once.
type gauges struct {
	mu      sync.Mutex // guards what follows
	named   map[string]*gauge
	repeats services.Repeats
	at      int64 // second of the last repeat
}

// gauge is that of one server.
type gauge struct {
	last     services.Sample
	repeated services.Repeated

	spans []services.Sample // complete, in the order in which they were completed
	gone  int               // how many were before the first of spans
	at    int64             // second at which the span in the making begins
	open  blend
}

// bundle is a piece of a gauge that makes one chunk.
type bundle struct {
	server string
	begin  int64 // of its minute
	spans  []services.Sample
	upTo   int // how many spans of the gauge are behind it once it is written
}

// batch is what is written in one transaction, in memory that is used again.
type batch struct {
	bundles []bundle
	spans   []services.Sample // of all bundles
}

// put adds a sample. It reports whether it has completed a minute.
func (g *gauges) put(server string, s services.Sample) (complete bool) {
	second := s.At.Unix()
	if server == "" || second <= 0 || second >= latest {
		return false
	}
	s = sane(s)
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.named[server]
	if one == nil {
		one = &gauge{}
		if g.named == nil {
			g.named = make(map[string]*gauge)
		}
		g.named[server] = one
	} else {
		g.catchUp(one)
	}
	g.repeats.Told(&one.repeated, s.At.Time)
	one.last = s
	return one.add(s)
}

// repeat adds a sample to every server that has had one at since or later and
// has none at at: its last one. It reports whether that has completed a minute.
func (g *gauges) repeat(at, since time.Time) (complete bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	complete = floor(g.at, minute) != floor(at.Unix(), minute)
	g.at = at.Unix()
	if g.repeats.Len() == mostSpans { // nobody writes
		g.settle()
	}
	g.repeats.Note(at, since)
	return complete
}

// settle makes sure that every gauge has counted all repeats. The caller holds
// mu.
func (g *gauges) settle() {
	if g.repeats.Len() == 0 {
		return
	}
	for _, one := range g.named {
		g.catchUp(one)
	}
	g.repeats.Forget()
}

// catchUp adds what was repeated. The caller holds mu.
func (g *gauges) catchUp(one *gauge) {
	for at := range g.repeats.Missed(&one.repeated) {
		s := one.last
		s.At = services.Time{Time: at}
		one.add(s)
	}
}

// add adds a sample. It reports whether it has completed a minute. The caller
// holds mu.
func (o *gauge) add(s services.Sample) (complete bool) {
	at := floor(s.At.Unix(), journal.step)
	if o.open.n > 0 && at != o.at {
		complete = floor(at, minute) != floor(o.at, minute)
		o.close()
	}
	o.at = at
	o.open.add(s)
	return complete
}

// close completes the span in the making. The caller holds mu.
func (o *gauge) close() {
	if len(o.spans) == mostSpans {
		o.drop(1)
	}
	o.spans = append(o.spans, o.open.sample(o.at))
	o.open = blend{}
}

// drop forgets the first n spans. The caller holds mu.
func (o *gauge) drop(n int) {
	o.gone += n
	if o.spans = slices.Delete(o.spans, 0, n); len(o.spans) == 0 && cap(o.spans) > 8 {
		o.spans = nil
	}
}

// due fills a batch with what is to be written: the minutes that are over at
// the given second, or with all of them everything there is. It stays here until
// it is written. An empty batch means that there is nothing.
func (g *gauges) due(b *batch, now int64, all bool) {
	b.bundles, b.spans = b.bundles[:0], b.spans[:0]
	g.mu.Lock()
	defer g.mu.Unlock()
	g.settle()
	for server, one := range g.named {
		if len(b.bundles) >= bundlesAtOnce {
			return
		}
		if one.open.n > 0 && (all || one.at+2*minute <= now || one.at > now+minute) {
			one.close()
		}
		if len(one.spans) == 0 {
			if one.open.n == 0 {
				delete(g.named, server) // it will be back with its next sample
			}
			continue
		}
		one.fill(b, server, now, all)
	}
}

// fill adds the minutes that are over, or all. The caller holds mu.
func (o *gauge) fill(b *batch, server string, now int64, all bool) {
	for from := 0; from < len(o.spans); {
		begin := floor(o.spans[from].At.Unix(), minute)
		to := from + 1
		for to < len(o.spans) && floor(o.spans[to].At.Unix(), minute) == begin {
			to++
		}
		current := begin <= now && now < begin+minute
		open := o.open.n > 0 && floor(o.at, minute) == begin
		if to == len(o.spans) && (current || open) && !all {
			break
		}
		n := len(b.spans)
		b.spans = append(b.spans, o.spans[from:to]...)
		b.bundles = append(b.bundles, bundle{server, begin, b.spans[n:len(b.spans):len(b.spans)], o.gone + to})
		from = to
	}
}

// written forgets what a bundle held.
func (g *gauges) written(b bundle) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if one := g.named[b.server]; one != nil && b.upTo > one.gone {
		one.drop(b.upTo - one.gone)
	}
}

// list returns what is not written yet of a server, the span in the making
// included, in the order of time.
func (g *gauges) list(server string) []services.Sample {
	g.mu.Lock()
	defer g.mu.Unlock()
	one := g.named[server]
	if one == nil {
		return nil
	}
	g.catchUp(one)
	out := slices.Clone(one.spans)
	if one.open.n > 0 {
		out = append(out, one.open.sample(one.at))
	}
	slices.SortStableFunc(out, byTime)
	return out
}

func byTime(a, b services.Sample) int {
	return cmp.Compare(a.At.UnixNano()/int64(time.Second), b.At.UnixNano()/int64(time.Second))
}
