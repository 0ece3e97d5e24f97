package services

import (
	"slices"
	"testing"
	"time"
)

func TestWhoHadNoSampleOfItsOwnHadItsLastOnceMore(t *testing.T) {
	at := func(second int) time.Time { return time.Unix(1_800_000_000+int64(second), 0) }
	var r Repeats
	var early, late, gone Repeated
	missed := func(server *Repeated) (seconds []int) {
		for one := range r.Missed(server) {
			seconds = append(seconds, int(one.Sub(at(0))/time.Second))
		}
		return seconds
	}
	expect := func(what string, server *Repeated, want ...int) {
		t.Helper()
		if got := missed(server); !slices.Equal(got, want) {
			t.Errorf("%s missed %v, want %v", what, got, want)
		}
	}
	r.Told(&early, at(0))
	r.Told(&gone, at(0))
	expect("who was told just now", &early)
	r.Note(at(15), at(0))
	r.Note(at(30), at(0))
	r.Told(&late, at(30))
	expect("who came when something was noted", &late)
	expect("who was told first", &early, 15, 30)
	expect("who has caught up", &early)

	r.Told(&early, at(45)) // all that are there are told
	r.Told(&late, at(45))
	r.Told(&late, at(60))
	r.Note(at(60), at(45)) // of all others
	r.Note(at(75), at(45))
	expect("who was told of its own meanwhile", &late, 75)
	expect("who is gone", &gone, 15, 30)
	if r.Len() != 4 {
		t.Errorf("%d are kept, want 4", r.Len())
	}
	expect("who was told first", &early, 60, 75)
	r.Forget()
	r.Note(at(90), at(45))
	for name, server := range map[string]*Repeated{"early": &early, "late": &late} {
		expect(name+" after some were forgotten", server, 90)
	}
	if r.Len() != 1 {
		t.Errorf("%d are kept, want 1", r.Len())
	}
}

func TestToNoteARepeatCostsNothingForEachServer(t *testing.T) {
	var r Repeats
	var one Repeated
	now := time.Now()
	r.Told(&one, now)
	if n := testing.AllocsPerRun(100, func() {
		r.Note(now.Add(time.Second), now)
		for range r.Missed(&one) {
		}
		r.Forget()
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
