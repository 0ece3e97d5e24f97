package monitor

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
)

// scale is a sampler in a bubble, with readings that the test decides.
type scale struct {
	*Sampler
	t     *testing.T
	epoch time.Time

	mu       sync.Mutex // guards what follows
	readings []Reading
	status   []services.Status
	takes    time.Duration // a pass
	passes   []time.Duration
	samples  []told
	repeats  [][2]time.Duration // at, since
	changes  uint64
	still    bool // changes does not grow by itself
}

type told struct {
	server, run string
	services.Sample
}

func weigh(t *testing.T) *scale {
	t.Helper()
	s := &scale{t: t, epoch: time.Now()}
	s.Sampler = NewSampler(SamplerOptions{
		Measure: s.measure, Status: func() iter.Seq[*services.Status] { return each(s.list()) }, Changes: s.changed,
		Report: s.report, Repeat: s.repeat,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *scale) measure(ctx context.Context, all bool) iter.Seq[Reading] {
	s.mu.Lock()
	s.passes = append(s.passes, time.Since(s.epoch))
	takes, out := s.takes, slices.Values(slices.Clone(s.readings))
	s.mu.Unlock()
	if takes > 0 {
		select {
		case <-time.After(takes):
		case <-ctx.Done():
		}
	}
	return out
}

func (s *scale) list() []services.Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.status)
}

func (s *scale) report(server, run string, x services.Sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.samples = append(s.samples, told{server, run, x})
}

func (s *scale) repeat(at, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repeats = append(s.repeats, [2]time.Duration{at.Sub(s.epoch), since.Sub(s.epoch)})
}

func (s *scale) changed() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.still {
		s.changes++
	}
	return s.changes
}

func (s *scale) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// after lets time pass and returns when there were passes, since the beginning.
func (s *scale) after(d time.Duration) []time.Duration {
	if d > 0 {
		<-time.After(d)
	}
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.passes
	s.passes = nil
	return out
}

// next lets the next slow pass happen and returns its one sample.
func (s *scale) next() services.Sample {
	s.t.Helper()
	s.set(func() { s.samples = nil })
	s.after(SampleStep)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.samples) != 1 {
		s.t.Fatalf("samples: %+v", s.samples)
	}
	return s.samples[0].Sample
}

func (s *scale) wantPasses(got []time.Duration, want ...time.Duration) {
	s.t.Helper()
	for i := range want {
		want[i] *= time.Second
	}
	if !slices.Equal(got, want) {
		s.t.Errorf("passes at %v, want %v", got, want)
	}
}

func up(name, run string) services.Status {
	return services.Status{Name: name, Run: run, PID: 7, Phase: services.Running, Want: services.Up}
}

func TestServersAreMeasuredInOnePassAtEachStepOfTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		<-time.After(4 * time.Second) // off the step
		s := weigh(t)
		s.wantPasses(s.after(0), 0)
		s.set(func() {
			for i := range 1000 {
				s.status = append(s.status, up(fmt.Sprint(i), ""))
			}
		})
		s.wantPasses(s.after(time.Minute), 11, 26, 41, 56)
		if len(s.samples) != 4*1000 {
			t.Errorf("%d samples", len(s.samples))
		}
		for _, x := range s.samples[:1000] {
			if at := x.At.Sub(s.epoch); at != 11*time.Second {
				t.Fatalf("the sample of %s is of %v", x.server, at)
			}
		}
	})
}

func TestWhileSomebodyLooksServersAreMeasuredMoreOften(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := weigh(t)
		s.wantPasses(s.after(5*time.Second), 0)
		s.Look() // at once, for ten seconds, and then as before
		s.wantPasses(s.after(0), 5)
		s.wantPasses(s.after(26*time.Second), 6, 8, 10, 12, 14, 16, 30)
		s.Look()
		s.wantPasses(s.after(9*time.Second), 32, 34, 36, 38, 40)
		s.Look() // goes on, and needs no pass of its own
		s.wantPasses(s.after(0))
		s.wantPasses(s.after(21*time.Second), 42, 44, 46, 48, 50, 60)
	})
}

func TestALookSoonAfterAPassWaitsForTheNextFastOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := weigh(t)
		s.wantPasses(s.after(time.Second), 0)
		s.Look()
		s.wantPasses(s.after(0))
		s.wantPasses(s.after(3*time.Second), 2, 4)
	})
}

func TestAPassThatOverrunsLeavesOutTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := weigh(t)
		s.after(0)
		s.set(func() { s.takes = 20 * time.Second })
		s.wantPasses(s.after(80*time.Second), 15, 45, 75)
		s.set(func() { s.takes = 0 })
		s.wantPasses(s.after(26*time.Second), 105)
		s.set(func() { s.takes = 3 * time.Second })
		s.Look()
		s.wantPasses(s.after(9*time.Second), 108, 112)
	})
}

func TestAPassThatWasCutShortIsNotReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reports := 0
		ctx, cancel := context.WithCancel(t.Context())
		s := NewSampler(SamplerOptions{
			Measure: func(context.Context, bool) iter.Seq[Reading] { cancel(); return slices.Values([]Reading(nil)) },
			Changes: func() uint64 { return 0 },
			Status:  func() iter.Seq[*services.Status] { return each([]services.Status{up("a", "r")}) },
			Report:  func(string, string, services.Sample) { reports++ },
		})
		if err := s.Run(ctx); err != nil || reports != 0 {
			t.Errorf("%d reports (%v)", reports, err)
		}
	})
}

func TestCountersBecomeRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := weigh(t)
		reading := Reading{Server: "a", Run: "r1", Memory: 5, Processes: 4, Threads: 3, Files: 2, Read: 0, Write: services.Unknown}
		use := func(cpu time.Duration, read services.Amount) {
			s.set(func() {
				reading.CPU, reading.Read = cpu, read
				s.readings, s.status = []Reading{reading}, []services.Status{up("a", reading.Run)}
			})
		}
		sample := func(cpu float64, read services.Amount) services.Sample {
			return services.Sample{
				At: services.Time{Time: time.Now()}, State: services.VigourUp, CPU: cpu, CPUMax: cpu, Memory: 5, MemoryMax: 5,
				Read: read, Write: services.Unknown, Processes: 4, Threads: 3, Files: 2,
			}
		}
		want := func(what string, want services.Sample) {
			t.Helper()
			got := s.next()
			want.At = got.At
			if got != want {
				t.Errorf("%s: %+v, want %+v", what, got, want)
			}
		}
		s.after(0)
		reading.Started = s.epoch.Add(5 * time.Second)
		use(20*time.Second, 1000) // within ten seconds
		want("the first sample of a run counts from its start", sample(200, 100))
		use(20*time.Second+1500*time.Millisecond, 1000+15*7)
		want("then since the one before", sample(10, 7))
		want("nothing happens", sample(0, 0))

		reading.CPU = -1
		use(-1, services.Unknown)
		want("a reading fails", sample(0, services.Unknown))
		use(20*time.Second+4500*time.Millisecond, 1000+15*7+30*4)
		want("the next one is compared with the one before it", sample(10, 4))

		reading.Run, reading.Started = "r2", time.Now().Add(SampleStep-time.Millisecond)
		use(10*time.Millisecond, 50)
		want("a new run starts anew, and one tick in a moment is not much", sample(1, 50))
		use(5*time.Millisecond, 40)
		want("a counter that goes backwards is no rate", sample(0, 0))
		reading.Run, reading.Started = "r3", time.Time{}
		use(500*time.Millisecond, 10)
		want("a run of unknown age", sample(50, 10))
	})
}

func TestWhileSomebodyLooksRatesAreOfTheFastStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := weigh(t)
		s.set(func() {
			s.status = []services.Status{up("a", "r")}
			s.readings = []Reading{{Server: "a", Run: "r", CPU: time.Second, Started: s.epoch}}
		})
		s.after(4 * time.Second)
		s.Look()
		s.after(0)
		s.set(func() { s.samples, s.readings[0].CPU, s.readings[0].Write = nil, 2*time.Second, 3000 })
		s.after(2 * time.Second)
		if len(s.samples) != 1 || s.samples[0].CPU != 50 || s.samples[0].Write != 1500 || s.samples[0].run != "r" {
			t.Errorf("samples: %+v", s.samples)
		}
	})
}

func TestEveryServerHasASampleWhetherItRunsOrNot(t *testing.T) {
	no := false
	const unknown = services.Unknown
	zero := services.Sample{}
	hidden := services.Sample{Memory: unknown, MemoryMax: unknown, Read: unknown, Write: unknown, Processes: unknown, Threads: unknown, Files: unknown}
	for _, tt := range []struct {
		what   string
		status services.Status
		state  services.Vigour
		want   services.Sample
	}{
		{"stopped", services.Status{Phase: services.Stopped, Want: services.Down}, services.VigourDown, zero},
		{"failed", services.Status{Phase: services.Failed, Want: services.Up}, services.VigourBroken, zero},
		{"its run has ended meanwhile", services.Status{Phase: services.BackOff, Want: services.Up, Run: "old"}, services.VigourBroken, zero},
		{"started after the reading", up("", "new"), services.VigourUp, hidden},
		{"unhealthy", services.Status{Phase: services.Running, PID: 1, Run: "r", Healthy: &no}, services.VigourUnhealthy,
			services.Sample{Memory: 9, MemoryMax: 9, Processes: 1, Read: unknown, Write: unknown}},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := weigh(t)
			s.after(0)
			tt.status.Name = "a"
			s.set(func() {
				s.status = []services.Status{tt.status}
				s.readings = []Reading{{Server: "a", Run: "r", Memory: 9, Processes: 1, Read: unknown, Write: unknown}}
			})
			got := s.next()
			tt.want.At, tt.want.State = got.At, tt.state
			if got != tt.want {
				t.Errorf("%s: %+v, want %+v", tt.what, got, tt.want)
			}
		})
	}
}

func TestWhatHasNotChangedIsRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := weigh(t)
		second := func(n time.Duration) time.Duration { return n * time.Second }
		read := func(server string, cpu time.Duration) Reading {
			return Reading{Server: server, Run: server, Started: s.epoch, CPU: cpu, Memory: 5}
		}
		s.set(func() {
			s.still = true
			s.status = []services.Status{up("a", "a"), up("b", "b")}
			s.readings = []Reading{read("a", 0), read("b", 0)}
		})
		want := func(what string, d time.Duration, since time.Duration, cpu map[string]float64) {
			t.Helper()
			s.set(func() { s.samples, s.repeats = nil, nil })
			s.after(d)
			s.mu.Lock()
			defer s.mu.Unlock()
			got := make(map[string]float64)
			for _, x := range s.samples {
				got[x.server] = x.CPU
			}
			if !maps.Equal(got, cpu) || len(got) != len(s.samples) {
				t.Errorf("%s: told were %v, want %v", what, got, cpu)
			}
			switch now := time.Since(s.epoch); {
			case since < 0 && len(s.repeats) == 0:
			case since >= 0 && slices.Equal(s.repeats, [][2]time.Duration{{now, since}}):
			default:
				t.Errorf("%s: at %v repeated was %v", what, now, s.repeats)
			}
		}
		want("the first pass", 0, -1, map[string]float64{"a": 0, "b": 0})
		s.set(func() { s.readings = nil })
		want("nothing moves", second(15), 0, map[string]float64{})
		s.set(func() { s.readings = []Reading{read("b", second(3))} })
		want("one moves, and it is since the last pass", second(15), 0, map[string]float64{"b": 20})
		s.set(func() { s.readings = []Reading{read("stray", second(3))} })
		want("it no longer does, and a run that nobody knows is nobody's", second(15), 0, map[string]float64{"b": 0})
		s.set(func() { s.readings = []Reading{read("a", -1)} })
		want("a reading fails", second(15), 0, map[string]float64{"a": 0})
		s.set(func() { s.readings = []Reading{read("a", second(3))} })
		want("and the next is compared with the last that did not", second(15), 0, map[string]float64{"a": 10})
		s.set(func() { s.readings, s.changes = []Reading{read("a", second(3)), read("b", second(3))}, s.changes+1 })
		want("a server has changed", second(15), -1, map[string]float64{"a": 0, "b": 0})
		s.set(func() { s.readings = nil })
		want("and has not again", second(15), second(90), map[string]float64{})
		s.Look()
		s.set(func() { s.readings = []Reading{read("a", second(3)), read("b", second(3))} })
		want("somebody looks", second(2), -1, map[string]float64{"a": 0, "b": 0})
	})
}

func TestRunsThatAreGoneAreForgotten(t *testing.T) {
	r := newRates()
	for i := range 5 {
		r.begin(time.Now(), true, slices.Values([]Reading{{Run: fmt.Sprint(i)}}))
		r.end()
	}
	if len(r.runs) != 1 {
		t.Errorf("it remembers %v", r.runs)
	}
}

// each yields the elements of a list.
func each(list []services.Status) iter.Seq[*services.Status] {
	return func(yield func(*services.Status) bool) {
		for i := range list {
			if !yield(&list[i]) {
				return
			}
		}
	}
}
