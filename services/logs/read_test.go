package logs

import (
	"bytes"
	"context"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestReadSelectsByTailAndPattern(t *testing.T) {
	b := newBench(t, t.TempDir())
	f := b.begin("api", 1<<20)
	if got := b.read("api", Query{Tail: -1}); len(got) != 0 {
		t.Fatalf("an empty log has %d lines", len(got))
	}
	write(t, f, "one\ntwo\n\nthree red\nfour\nfive red\nsix")
	for _, c := range []struct {
		tail int
		grep string
		want string
	}{
		{-1, "", "one|two||three red|four|five red|six~"},
		{0, "", ""},
		{1, "", "six~"},
		{2, "", "five red|six~"},
		{6, "", "two||three red|four|five red|six~"},
		{7, "", "one|two||three red|four|five red|six~"},
		{99, "", "one|two||three red|four|five red|six~"},
		{-1, "red", "three red|five red"},
		{1, "red", "five red"},
		{2, "red", "three red|five red"},
		{9, "red", "three red|five red"},
		{9, "blue", ""},
		{1, "one", "one"},
	} {
		q := Query{Tail: c.tail}
		if c.grep != "" {
			q.Grep = regexp.MustCompile(c.grep)
		}
		if got := texts(b.read("api", q)); got != c.want {
			t.Errorf("tail %d grep %q: %q, want %q", c.tail, c.grep, got, c.want)
		}
	}
	write(t, f, "th\n")
	if got := texts(b.read("api", Query{Tail: 2})); got != "five red|sixth" {
		t.Errorf("after the newline came: %q", got)
	}
}

func TestTailOfManyLinesAgreesWithReadingAll(t *testing.T) {
	b := newBench(t, t.TempDir())
	f := b.begin("api", 64<<20)
	var text strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&text, "%d %s\n", i, strings.Repeat("x", i%97))
	}
	write(t, f, text.String())
	all := b.read("api", Query{Tail: -1})
	if len(all) != 60_000 {
		t.Fatalf("%d lines", len(all))
	}
	at := Address{Gen: 1}
	for _, l := range all {
		if l.Address != at {
			t.Fatalf("a line at %v, the one before ends at %v", l.Address, at)
		}
		at = l.Next
	}
	sevens := regexp.MustCompile(`^\d*7 `)
	for _, n := range []int{1, 2, 1000, 20_000, 59_999, 60_000, 70_000} {
		got := b.read("api", Query{Tail: n})
		if want := all[max(0, len(all)-n):]; texts(got) != texts(want) {
			t.Errorf("tail %d gave %d lines, want %d", n, len(got), len(want))
		}
		got = b.read("api", Query{Tail: n, Grep: sevens})
		if len(got) != min(n, 6000) || !bytes.HasPrefix(got[len(got)-1].Text, []byte("59997 ")) {
			t.Errorf("tail %d of those with 7 gave %d lines", n, len(got))
		}
	}
	got := b.read("api", Query{Tail: -1, After: all[50_000].Address})
	if len(got) != 10_000 || got[0].Address != all[50_000].Address {
		t.Errorf("after: %d lines", len(got))
	}
	got = b.read("api", Query{Tail: 3, After: all[59_999].Address})
	if len(got) != 1 {
		t.Errorf("tail within after: %d lines", len(got))
	}
}

func TestAnEndlessLineIsCutAndDoesNotGrowMemory(t *testing.T) {
	b := newBench(t, t.TempDir())
	f := b.begin("api", 512<<20)
	write(t, f, "before\n")
	piece := strings.Repeat("y", 1<<20)
	size := 100
	if testing.Short() {
		size = 20
	}
	for range size {
		write(t, f, piece)
	}
	var start, stop runtime.MemStats
	runtime.ReadMemStats(&start)
	if got := texts(b.read("api", Query{Tail: 1})); got != "yyyyy...65536~" {
		t.Errorf("unfinished: %q", got)
	}
	write(t, f, "\nafter\n")
	if got := texts(b.read("api", Query{Tail: -1})); got != "before|yyyyy...65536|after" {
		t.Errorf("finished: %q", got)
	}
	if got := texts(b.read("api", Query{Tail: 2, Grep: regexp.MustCompile("y|before")})); got != "before|yyyyy...65536" {
		t.Errorf("searched: %q", got)
	}
	runtime.ReadMemStats(&stop)
	if grown := stop.TotalAlloc - start.TotalAlloc; grown > 12<<20 {
		t.Errorf("reading a line of %d MB allocated %d kB", size, grown>>10)
	}
}

func TestALineKnowsWhenItWasNoticed(t *testing.T) {
	b := newBench(t, t.TempDir())
	f := b.begin("api", 1<<20)
	start := time.Now()
	write(t, f, "one\n")
	b.read("api", Query{Tail: 0})
	middle := time.Now()
	write(t, f, "two\nthr")
	b.read("api", Query{Tail: 0})
	write(t, f, "ee\nfour\n")
	got := b.read("api", Query{Tail: -1, Since: middle})
	if texts(got) != "two|three|four" {
		t.Errorf("since: %q", texts(got))
	}
	all := b.read("api", Query{Tail: -1})
	if at := all[0].At; at.Before(start) || at.After(middle) {
		t.Errorf("the first line is from %v, not between %v and %v", at, start, middle)
	}
	if !all[1].At.Equal(all[2].At) || all[3].At.Before(all[2].At) {
		t.Errorf("times %v, %v, %v", all[1].At, all[2].At, all[3].At)
	}
	write(t, f, "five\n")
	b.reopen()
	all = b.read("api", Query{Tail: -1})
	if len(all) != 5 || !all[4].At.IsZero() {
		t.Errorf("a line written while no manager lived has the time %v", all[4].At)
	}
	if !all[0].At.After(start) {
		t.Errorf("the time of the first line was forgotten: %v", all[0].At)
	}
	if got := b.read("api", Query{Tail: -1, Since: time.Now()}); len(got) != 0 {
		t.Errorf("%q is from the future", texts(got))
	}
	if got := texts(b.read("api", Query{Tail: -1, Since: start.Add(-time.Hour)})); got != "one|two|three|four|five" {
		t.Errorf("since an hour ago: %q", got)
	}
}

func TestFollowShowsNewLinesSoon(t *testing.T) {
	for _, blind := range []bool{false, true} {
		t.Run(fmt.Sprint("without inotify ", blind), func(t *testing.T) { followSoon(t, blind) })
	}
}

func followSoon(t *testing.T, blind bool) {
	b := newBench(t, t.TempDir(), func(o *Options) { o.blind = blind })
	b.keep()
	f := b.begin("api", 1<<20)
	write(t, f, "old\n")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	lines := make(chan Line)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for line, err := range b.store.Read(ctx, "api", Query{Tail: -1, Follow: true}) {
			if err != nil {
				t.Error(err)
			}
			lines <- line
		}
	}()
	expect := func(want string) {
		t.Helper()
		select {
		case line := <-lines:
			if got := texts([]Line{line}); got != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%q did not come", want)
		}
	}
	expect("old")
	worst := time.Duration(0)
	for i := range 20 {
		text := fmt.Sprint("new ", i)
		at := time.Now()
		write(t, f, text+"\n")
		expect(text)
		worst = max(worst, time.Since(at))
	}
	t.Logf("worst delay %v", worst)
	write(t, f, "Password: ")
	expect("Password: ~")
	write(t, f, "secret\nnext\n")
	expect("secret")
	expect("next")
	write(t, f, "panic: unfinished")
	expect("panic: unfinished~")
	b.begin("api", 1<<20)
	expect("")
	write(t, f, "second run\n")
	expect("second run")
	cancel()
	<-done
}
