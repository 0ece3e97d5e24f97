package logs

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"tend/services"
)

var errKilled = errors.New("killed by the test")

// TestAKillAtAnyPointOfRetentionLosesNoLine kills the manager between any two
// steps, lets the server write on, and opens the log again.
func TestAKillAtAnyPointOfRetentionLosesNoLine(t *testing.T) {
	for name, dir := range places(t) {
		for _, step := range []string{"recorded", "punched", "announced", "collapsed", "rotating", "set aside", "begun"} {
			for _, same := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/same lines %v", name, step, same), func(t *testing.T) {
					killAt(t, fmt.Sprintf("%s/%s-%v", dir, step, same), step, same)
				})
			}
		}
	}
}

func killAt(t *testing.T, dir, step string, same bool) {
	kill := func(o *Options) {
		o.fail = func(s string) error {
			if s == step {
				return errKilled
			}
			return nil
		}
	}
	// Lines that are all the same leave only the holes to tell what happened.
	line := func(i int) string {
		if same {
			return numbered(7)
		}
		return numbered(i)
	}
	b := newBench(t, dir, kill)
	f := b.begin("api", 64<<10)
	put := func(from, n int) {
		for i := range n {
			write(t, f, line(from+i))
		}
	}
	total := 0
	for round := range 6 {
		put(total, 700)
		total += 700
		l, err := b.store.log("api")
		if err != nil {
			t.Fatal(err)
		}
		l.refresh(time.Now())
		l.retain(0)
		if g, err := b.store.Begin("api", services.LogPolicy{MaxSize: 64 << 10}); err == nil {
			f = g
			t.Cleanup(func() { _ = g.Close() }) // at the end of the test
		} else if !errors.Is(err, errKilled) {
			t.Fatal(err)
		}
		if round%2 == 0 { // the server lives on and writes as much as was removed
			put(total, 700)
			total += 700
			b.reopen()
		} else {
			b.reopen(kill)
		}
		got := b.read("api", Query{Tail: -1})
		if len(got) == 0 {
			t.Fatal("nothing is left")
		}
		for i, l := range got {
			if want := line(total - len(got) + i); string(l.Text)+"\n" != want {
				t.Fatalf("round %d: line %d of %d at %v is %.12q, want %.12q", round, i, len(got), l.Address, l.Text, want)
			}
			if i > 0 && l.Address.Gen == got[i-1].Address.Gen && l.Address != got[i-1].Next {
				t.Fatalf("round %d: a line at %v after %v", round, l.Address, got[i-1].Next)
			}
		}
		end := got[len(got)-1].Next
		if end.Gen == 1 && end.Off != int64(total)*120 {
			t.Fatalf("round %d: the log ends at %v, want %d", round, end, total*120)
		}
		if m := b.messages(); m != "" {
			t.Fatalf("round %d: %s", round, m)
		}
	}
}
