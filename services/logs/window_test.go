package logs

import (
	"bufio"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func TestAWindowLiesBeforeOrAfterAnAddress(t *testing.T) {
	b := newBench(t, t.TempDir())
	f := b.begin("web", 1<<20)
	write(t, f, "one\ntwo\nthree\nfour\nfive")
	all := b.read("web", Query{Tail: -1})
	third := all[2].Address
	for name, c := range map[string]struct {
		query Query
		want  string
	}{
		"all before it":                       {Query{Tail: -1, Before: third}, "one|two"},
		"the last before it":                  {Query{Tail: 1, Before: third}, "two"},
		"more before it than there are":       {Query{Tail: 10, Before: third}, "one|two"},
		"from it on":                          {Query{Tail: -1, After: third}, "three|four|five~"},
		"between two":                         {Query{Tail: -1, After: third, Before: all[4].Address}, "three|four"},
		"before the first":                    {Query{Tail: 10, Before: all[0].Address}, ""},
		"before the end":                      {Query{Tail: 2, Before: all[4].Next}, "four|five~"},
		"before what never was":               {Query{Tail: 2, Before: Address{Gen: 9, Off: 1}}, "four|five~"},
		"as many as fit into bytes":           {Query{Tail: 10, Before: third, Bytes: 5}, "two"},
		"all of those that fit exactly":       {Query{Tail: 10, Before: third, Bytes: 8}, "one|two"},
		"one line where not even that fits":   {Query{Tail: 10, Before: third, Bytes: 1}, "two"},
		"the last one, which has no end":      {Query{Tail: 10, Bytes: 1}, "five~"},
		"bytes and lines, the lines are less": {Query{Tail: 2, Before: all[4].Address, Bytes: 100}, "three|four"},
		"follows nothing when it has an end":  {Query{Tail: 2, Before: third, Follow: true}, "one|two"},
	} {
		if got := texts(b.read("web", c.query)); got != c.want {
			t.Errorf("%s: %q, not %q", name, got, c.want)
		}
	}
}

func TestWindowsBackToBackAreTheWholeLog(t *testing.T) {
	b := newBench(t, t.TempDir(), func(o *Options) { o.way = none })
	f := b.begin("web", 16<<10)
	var want []string
	for i := range 3000 { // over the limit: the next run sets this file aside
		want = append(want, fmt.Sprintf("line %d %s", i, strings.Repeat("x", i%70)))
	}
	write(t, f, strings.Join(want, "\n")+"\n")
	f = b.begin("web", 16<<10)
	for i := range 50 {
		want = append(want, fmt.Sprint("second ", i))
		write(t, f, want[len(want)-1]+"\n")
	}
	var got []string
	at := Address{}
	for pieces := 0; ; pieces++ {
		lines := b.read("web", Query{Tail: 40, Bytes: 2000, Before: at})
		if len(lines) == 0 {
			break
		}
		if size := lines[len(lines)-1].Next.Off - lines[0].Address.Off; lines[0].Address.Gen == lines[len(lines)-1].Address.Gen && size > 2000 || len(lines) > 40 {
			t.Fatalf("a piece of %d lines, %d bytes", len(lines), size)
		}
		got = append(strings.Split(texts(lines), "|"), got...)
		at = lines[0].Address
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%d lines, not %d", len(got), len(want))
	}
}

func TestAWindowOfALargeLogTakesLittleMemory(t *testing.T) {
	b := newBench(t, t.TempDir())
	f := b.begin("web", 1<<30)
	out := bufio.NewWriterSize(f, 1<<20)
	line := strings.Repeat("a line of a log that is long enough ", 3) + "\n"
	for n := 0; n < 100<<20; n += len(line) {
		out.WriteString(line) //nolint:errcheck // Flush tells
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	b.read("web", Query{Tail: 1}) // opens it
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	at := Address{Gen: 1, Off: 50 << 20 / int64(len(line)) * int64(len(line))}
	older := b.read("web", Query{Tail: 500, Bytes: 1 << 20, Before: at})
	newer := 0
	for line, err := range b.store.Read(t.Context(), "web", Query{Tail: -1, After: at}) {
		if err != nil {
			t.Fatal(err)
		}
		if newer++; newer == 500 || line.Next.Off-at.Off > 1<<20 {
			break
		}
	}
	runtime.ReadMemStats(&after)
	if len(older) != 500 || newer != 500 || older[499].Next != at {
		t.Errorf("%d lines before, %d after", len(older), newer)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 2<<20 {
		t.Errorf("two windows of 50 kB took %d kB", grown>>10)
	}
}

func TestACopyIsByteForByte(t *testing.T) {
	b := newBench(t, t.TempDir(), func(o *Options) { o.way = none })
	first := strings.Repeat("long ", 60<<10) + "\x00\xff\r\n"
	write(t, b.begin("web", 16<<10), first)
	second := "after\nno end"
	write(t, b.begin("web", 16<<10), second)
	var out strings.Builder
	if err := b.store.Copy(t.Context(), "web", &out); err != nil || out.String() != first+second {
		t.Errorf("%v, %d bytes, not %d", err, out.Len(), len(first+second))
	}
	out.Reset()
	if err := b.store.Copy(t.Context(), "other", &out); err != nil || out.Len() > 0 {
		t.Errorf("of a server that never wrote: %v, %q", err, out.String())
	}
}
