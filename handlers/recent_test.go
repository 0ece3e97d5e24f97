package handlers

import (
	"slices"
	"testing"
	"time"

	"tend/services"
)

func TestWhatAServerUsedLatelyIsKeptInStepsThatCanBeDrawn(t *testing.T) {
	r, at := NewRecent(), time.Unix(1_800_000_000, 0)
	for i := range 400 { // every two seconds
		r.Add("web", services.Sample{At: services.Time{Time: at.Add(time.Duration(i) * 2 * time.Second)}, CPU: float64(i), Memory: services.Amount(i), State: services.VigourUp})
	}
	got := r.Of("web")
	if len(got) != recentMost {
		t.Fatalf("%d samples", len(got))
	}
	last := got[len(got)-1]
	if last.CPU != 399 || last.Memory != 399 || last.State != services.VigourUp || !last.At.Equal(at.Add(798*time.Second)) {
		t.Errorf("the newest is %+v", last)
	}
	for i := 1; i < len(got)-1; i++ {
		if d := got[i].At.Sub(got[i-1].At.Time); d < 12*time.Second || d > 16*time.Second {
			t.Errorf("%v between %d and the one before", d, i)
		}
	}
	if s := r.Newest("web"); s == nil || s.CPU != 399 {
		t.Errorf("the newest is %+v", s)
	}
	if r.Newest("db") != nil || len(r.Of("db")) != 0 {
		t.Error("what nobody used is known")
	}
}

func TestSamplesAfterTheClockWasSetBackAreNewer(t *testing.T) {
	r, at := NewRecent(), time.Unix(1_800_000_000, 0)
	add := func(at time.Time, cpu float64) uint64 {
		r.Add("web", services.Sample{At: services.Time{Time: at}, CPU: cpu, State: services.VigourUp})
		return r.Rev("web")
	}
	before := add(at, 1)
	for i := range 3 { // one after the other, though by the clock an hour ago
		back := at.Add(-time.Hour).Add(time.Duration(i) * time.Minute)
		rev := add(back, float64(i+2))
		if rev <= before {
			t.Errorf("revision %d after %d: no page would show it", rev, before)
		}
		before = rev
		if got := r.Of("web"); len(got) != i+1 || !got[i].At.Equal(back) {
			t.Errorf("after %d samples it remembers %+v", i+1, got)
		}
		if strip := r.Strip("web", back); strip[len(strip)-1] != services.VigourUp {
			t.Errorf("the strip ends with %v", strip[len(strip)-1])
		}
	}
}

func TestARepeatedSampleIsLikeOneThatIsAddedAgain(t *testing.T) {
	repeated, added := NewRecent(), NewRecent()
	begin := time.Unix(1_800_000_000, 0)
	for i := range 5 * recentMost {
		at := begin.Add(time.Duration(i) * 15 * time.Second)
		s := services.Sample{At: services.Time{Time: at}, State: services.VigourUp, Memory: 7}
		if i%40 == 0 {
			s.Memory = services.Amount(i)
			repeated.Add("moves", s)
		}
		added.Add("moves", services.Sample{At: s.At, State: s.State, Memory: services.Amount(i - i%40)})
		s.Memory = 7
		if i == 0 {
			repeated.Add("still", s)
		} else {
			repeated.Repeat(at, begin)
		}
		added.Add("still", s)
		if i%7 != 0 && i < 4*recentMost { // once nobody asks for long
			continue
		}
		for _, name := range []string{"moves", "still"} {
			if got, want := repeated.Of(name), added.Of(name); !slices.Equal(got, want) {
				t.Fatalf("after %d samples of %s: %+v, want %+v", i+1, name, got, want)
			}
			if got, want := repeated.Strip(name, at), added.Strip(name, at); got != want {
				t.Fatalf("after %d samples the strip of %s is %v, want %v", i+1, name, got, want)
			}
			if got, want := repeated.Newest(name), added.Newest(name); *got != *want || repeated.Rev(name) != added.Rev(name) {
				t.Fatalf("after %d samples the newest of %s is %+v, want %+v", i+1, name, got, want)
			}
		}
	}
	later := begin.Add(time.Hour)
	repeated.Add("moves", services.Sample{At: services.Time{Time: later}})
	for i := range recentMost + 1 {
		repeated.Repeat(later.Add(time.Duration(i+1)*15*time.Second), later)
		if still := repeated.Newest("still"); still != nil && !still.At.Before(later) {
			t.Fatal("a server that is gone is repeated")
		}
	}
	if repeated.Newest("still") != nil || repeated.Newest("moves") == nil {
		t.Error("only a server that is gone is forgotten")
	}
	back := begin.Add(-time.Hour)
	repeated.Add("moves", services.Sample{At: services.Time{Time: back}})
	repeated.Repeat(back.Add(time.Minute), back)
	if got := repeated.Of("moves"); len(got) != 2 || !got[1].At.Equal(back.Add(time.Minute)) {
		t.Errorf("after the clock was set back it is %+v", got)
	}
}
