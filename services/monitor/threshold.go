package monitor

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"tend/services"
)

// Thresholds judges the samples of one server. The zero value is ready. Only
// one goroutine may use it.
//
// A threshold is crossed when every sample of a run was above it for the whole
// of its time, and over when every sample was at or below it for as long. Each
// is told once; a new run that crosses it again is told again. A sample that
// does not know is passed over. After a gap in the samples the time begins anew.
type Thresholds struct {
	run  string
	last time.Time // of the newest sample
	of   map[services.Threshold]stretch
}

// stretch is since when the samples have been on one side of a threshold.
type stretch struct {
	above   bool
	since   time.Time // zero: no sample has told yet
	crossed bool      // told, and not over since
	told    bool      // in the present run
}

// Crossing says that a server uses too much for too long, or no longer does.
type Crossing struct {
	Threshold services.Threshold
	Over      bool      // it no longer does
	Since     time.Time // of the first sample that was so
	Value     float64   // bytes or percent of a core, now
}

// String says it in a few words, for people.
func (c Crossing) String() string {
	verb := "above"
	if c.Over {
		verb = "no longer above"
	}
	t := c.Threshold
	if t.Memory > 0 {
		return fmt.Sprintf("memory is %s %s for %s: %s", verb, megabytes(float64(t.Memory)), t.For, megabytes(c.Value))
	}
	return fmt.Sprintf("processor time is %s %g%% of a core for %s: %.0f%%", verb, t.CPU, t.For, c.Value)
}

func megabytes(n float64) string {
	return strconv.FormatFloat(math.Round(n/1e5)/10, 'f', -1, 64) + " MB"
}

// gap is after how long without a sample nobody knows what was in between.
const gap = 3 * SampleStep

// Judge takes the next sample of the server with the thresholds that it has
// now, and returns what has happened by it.
func (t *Thresholds) Judge(rules []services.Threshold, run string, s services.Sample) []Crossing {
	at := s.At.Time
	broken := run != t.run || at.Sub(t.last) > gap || at.Before(t.last)
	next := make(map[services.Threshold]stretch, len(rules))
	var out []Crossing
	for _, rule := range rules {
		if _, twice := next[rule]; twice {
			continue
		}
		x := t.of[rule]
		if run != t.run {
			x.told = false
		}
		if broken {
			x.since = time.Time{}
		}
		value, ok := valueOf(rule, s)
		if above := value > limit(rule); ok && (x.since.IsZero() || x.above != above) {
			x.above, x.since = above, at
		}
		if ok && at.Sub(x.since) >= rule.For && x.news() {
			out = append(out, Crossing{Threshold: rule, Over: !x.above, Since: x.since, Value: value})
			x.crossed, x.told = x.above, x.above
		}
		next[rule] = x
	}
	t.run, t.last, t.of = run, at, next
	return out
}

// news reports whether the side that the samples are on has not been told.
func (x stretch) news() bool {
	if x.above {
		return !x.told
	}
	return x.crossed
}

func limit(rule services.Threshold) float64 {
	if rule.Memory > 0 {
		return float64(rule.Memory)
	}
	return rule.CPU
}

// valueOf returns what a rule is about; false where the sample does not know.
func valueOf(rule services.Threshold, s services.Sample) (float64, bool) {
	if rule.Memory > 0 {
		return float64(s.Memory), s.Memory >= 0
	}
	return s.CPU, s.Memory >= 0 || s.Processes >= 0 // the processor's share cannot say that it is unknown
}
