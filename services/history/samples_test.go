package history

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
)

// feed puts a sample each step from one time until another: CPU counts the
// seconds since the first modulo 100, memory is 1000 times that.
func (h *house) feed(server string, from, to time.Time, step time.Duration) {
	for when := from; when.Before(to); when = when.Add(step) {
		n := when.Sub(from) / time.Second % 100
		h.Sample(server, services.Sample{At: at(when), State: services.VigourUp, CPU: float64(n), CPUMax: float64(n), Memory: services.Amount(1000 * n), MemoryMax: services.Amount(1000 * n),
			Read: unknown, Write: 5, Processes: 1, Threads: 2, Files: 3})
	}
}

// live feeds samples as time passes in a bubble.
func (h *house) live(server string, d, step time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); <-time.After(step) {
		now := time.Now()
		h.Sample(server, services.Sample{At: at(now), State: services.VigourUp, CPU: 50, CPUMax: float64(50 + now.Minute()), Memory: 1 << 20, MemoryMax: 1 << 20, Read: unknown, Write: 5, Processes: 1, Threads: 2, Files: 3})
	}
}

// wantSeries checks that spans follow each other without a gap.
func wantSeries(t *testing.T, got []services.Sample, first time.Time, step time.Duration, count int) {
	t.Helper()
	if len(got) != count {
		t.Errorf("%d spans, want %d", len(got), count)
	}
	for i, s := range got {
		if want := first.Add(time.Duration(i) * step); !s.At.Equal(want) {
			t.Errorf("span %d begins at %v, want %v", i, s.At, want)
			return
		}
	}
}

func TestSamplesAreThereBeforeTheyAreWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := file(t)
		h := open(t, path)
		begin := time.Now() // a whole hour
		h.feed("api", begin, begin.Add(50*time.Second), 5*time.Second)
		want := func(h *house) {
			t.Helper()
			got := h.samples("api", begin, begin.Add(time.Hour), 300)
			wantSeries(t, got, begin, 15*time.Second, 4)
			for i, s := range []services.Sample{
				{CPU: 5, CPUMax: 10, Memory: 5000, MemoryMax: 10000},
				{CPU: 20, CPUMax: 25, Memory: 20000, MemoryMax: 25000},
				{CPU: 35, CPUMax: 40, Memory: 35000, MemoryMax: 40000},
				{CPU: 45, CPUMax: 45, Memory: 45000, MemoryMax: 45000},
			} {
				s.At, s.State, s.Read, s.Write, s.Processes, s.Threads, s.Files = got[i].At, services.VigourUp, unknown, 5, 1, 2, 3
				if !same(got[i], s) {
					t.Errorf("span %d\n got %+v\nwant %+v", i, got[i], s)
				}
			}
		}
		want(h)
		h.end() // in the middle of a span
		h = open(t, path)
		want(h)
		h.feed("api", begin.Add(50*time.Second), begin.Add(60*time.Second), 5*time.Second) // the rest of it: 0 and 5
		got := h.samples("api", begin.Add(45*time.Second), begin.Add(time.Minute), 300)
		if len(got) != 1 || got[0].CPU != 2.5 || got[0].CPUMax != 5 {
			t.Errorf("the new part of the span is %+v", got)
		}
		h.end()
		h = open(t, path)
		got = h.samples("api", begin.Add(45*time.Second), begin.Add(time.Minute), 300)
		if len(got) != 1 || got[0].CPU != (45+2.5)/2 || got[0].CPUMax != 45 {
			t.Errorf("the span that two managers saw is %+v", got)
		}
		h.end()
		h.wantReports()
	})
}

func TestSamplesAreRolledUpWhenAnHourIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := file(t)
		h := open(t, path)
		begin := time.Now() // midnight
		h.live("api", 25*time.Hour, 15*time.Second)
		h.settle()
		count := func(t tier) (n int) {
			row := h.writer.base.db.QueryRow(`SELECT count(*) FROM samples WHERE key >= ? AND key < ?`, t.key(0, 0), (t.number+1)<<tierShift)
			if err := row.Scan(&n); err != nil {
				h.t.Fatal(err)
			}
			return n
		}
		for i, tt := range []struct {
			tier tier
			min  int
			max  int
		}{{journal, 0, 64}, {fine, 24, 25}, {medium, 24, 25}, {coarse, 1, 2}} {
			if n := count(tt.tier); n < tt.min || n > tt.max {
				t.Errorf("tier %d has %d chunks", i, n)
			}
		}
		end := time.Now()
		wantSeries(t, h.samples("api", begin.Add(time.Hour), end, 5760), begin.Add(time.Hour), 45*time.Second, 1920)
		wantSeries(t, h.samples("api", end.Add(-time.Hour), end, 300), end.Add(-time.Hour).Truncate(15*time.Second), 15*time.Second, 240)
		wantSeries(t, h.samples("api", begin.Add(time.Hour), begin.Add(25*time.Hour), 300), begin.Add(time.Hour), 5*time.Minute, 288)
		wantSeries(t, h.samples("api", begin, begin.Add(25*time.Hour), 100), begin, 15*time.Minute, 100)
		for _, s := range h.samples("api", begin.Add(time.Hour), begin.Add(25*time.Hour), 96) {
			if s.CPU != 50 || s.CPUMax != float64(50+s.At.Minute()+14) || s.Memory != 1<<20 || s.Read != unknown || s.Write != 5 || s.State != services.VigourUp || s.Files != 3 {
				t.Errorf("got %+v", s)
			}
		}
		h.end()
		h.wantReports()
	})
}

func TestTheRollUpIsFineEnoughAndGoesBackFarEnough(t *testing.T) {
	now := epoch.Unix()
	const week, year = 7 * day, 365 * day
	for _, tt := range []struct {
		name       string
		ago, until int64
		points     int
		tier       tier
		step       int64
		count      int
	}{
		{"an hour", hour, 0, 300, fine, 15, 240},
		{"an hour, few points", hour, 0, 60, medium, 60, 60},
		{"an hour, fewer than the step allows", hour, 0, 7, medium, 540, 7},
		{"a day", day, 0, 300, medium, 300, 288},
		{"a day, many points", day, 0, 2000, fine, 45, 1920},
		{"a day, hours", day, 0, 24, coarse, hour, 24},
		{"a week", week, 0, 300, coarse, 45 * minute, 224},
		{"a week, many points", week, 0, 2000, medium, 360, 1680},
		{"an hour of the day before yesterday", 2 * day, 2*day - hour, 300, medium, 60, 60},
		{"an hour of last month", 30 * day, 30*day - hour, 300, coarse, 900, 4},
		{"a year", year, 0, 2000, coarse, 18 * 900, 1948},
		{"an instant", 1, 0, 300, fine, 15, 1},
	} {
		v := newView(now-tt.ago, now-tt.until, tt.points, now)
		if v.tier != tt.tier || v.step != tt.step || len(v.blends) != tt.count {
			t.Errorf("%s: tier %d, step %d, %d points; want tier %d, step %d, %d points", tt.name, v.tier.number, v.step, len(v.blends), tt.tier.number, tt.step, tt.count)
		}
		if v.first > now-tt.ago || v.end < now-tt.until {
			t.Errorf("%s: it does not cover what was asked for", tt.name)
		}
	}
	for points := 1; points < 20; points++ { // any instant and any length has an answer
		for from := now; from < now+3000; from += 7 {
			v := newView(from, from+1000, points, from+1000)
			if len(v.blends) > points+1 || v.first > from || v.end < from+1000 {
				t.Fatalf("%d points from %d: %d points from %d until %d", points, from, len(v.blends), v.first, v.end)
			}
		}
	}
}

func TestAQueryThatMakesNoSenseIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, file(t))
		now := time.Now()
		h.feed("api", now.Add(-time.Minute), now, 15*time.Second)
		for name, tt := range map[string]struct {
			from, to time.Time
			points   int
			kind     services.Kind
			count    int
		}{
			"backwards":         {now, now.Add(-time.Second), 0, services.Invalid, 0},
			"nothing":           {now, now, 0, services.Invalid, 0},
			"all that there is": {time.Time{}, time.Time{}, 0, "", 1},
			"until now":         {now.Add(-time.Minute), time.Time{}, -5, "", 4},
			"until the end":     {now.Add(-time.Minute), now.AddDate(5000, 0, 0), 1 << 40, "", 2},
			"long ago":          {now.AddDate(-900, 0, 0), now.AddDate(-800, 0, 0), 5, "", 0},
			"not yet":           {now.AddDate(1, 0, 0), now.AddDate(2, 0, 0), 5, "", 0},
		} {
			got, err := h.Samples(t.Context(), "api", tt.from, tt.to, tt.points)
			if services.KindOf(err) != tt.kind || len(got) != tt.count {
				t.Errorf("%s: %d samples, %v", name, len(got), err)
			}
			if err == nil && got == nil {
				t.Errorf("%s: null instead of an empty list", name)
			}
		}
		if got := h.samples("nobody", now.Add(-time.Hour), now, 0); len(got) != 0 {
			t.Errorf("nobody has %v", got)
		}
		h.Sample("", services.Sample{At: at(now)})
		h.Sample("api", services.Sample{})
		h.Sample("api", services.Sample{At: at(now.AddDate(200_000, 0, 0))})
		h.end()
	})
}

func TestSamplesOfATurnedBackClockAreMerged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, file(t))
		begin := time.Now()
		h.live("api", 2*time.Hour+10*time.Minute, 15*time.Second) // the first hours are rolled up
		h.settle()
		before := h.samples("api", begin, begin.Add(time.Hour), 300)
		wantSeries(t, before, begin, 15*time.Second, 240)
		for i := range 4 { // again a minute of the first hour, with other numbers
			h.Sample("api", services.Sample{At: at(begin.Add(10*time.Minute + time.Duration(i)*15*time.Second)), State: services.VigourBroken, CPU: 150, Memory: unknown, MemoryMax: unknown, Read: 7, Write: unknown})
		}
		h.Sample("api", services.Sample{At: at(time.Now())})
		check := func(when string) {
			t.Helper()
			got := h.samples("api", begin, begin.Add(time.Hour), 300)
			wantSeries(t, got, begin, 15*time.Second, 240)
			for i, s := range got {
				want := before[i]
				if s.At.Sub(begin) >= 10*time.Minute && s.At.Sub(begin) < 11*time.Minute {
					want.State, want.CPU, want.CPUMax, want.Read = services.VigourBroken, 100, 150, 7
				}
				if !same(s, want) {
					t.Errorf("%s:\n got %+v\nwant %+v", when, s, want)
				}
			}
		}
		h.settle()
		<-time.After(2 * time.Minute)
		synctest.Wait()
		check("in the journal")
		<-time.After(time.Hour)
		synctest.Wait()
		check("rolled up")
		if got := h.samples("api", begin.Add(10*time.Minute), begin.Add(11*time.Minute), 1); len(got) != 1 || got[0].State != services.VigourBroken || got[0].CPU != 100 {
			t.Errorf("the minute is %+v", got)
		}
		h.end()
	})
}

func TestWhatWaitsOfOneServerIsBounded(t *testing.T) {
	var g gauges
	begin := epoch
	for i := range 10 * mostSpans {
		g.put("api", services.Sample{At: at(begin.Add(time.Duration(i) * services.FineStep)), CPU: float64(i)})
	}
	if got := g.list("api"); len(got) != mostSpans+1 || got[mostSpans].CPU != 10*mostSpans-1 {
		t.Errorf("%d spans wait", len(got))
	}
	var due batch
	g.due(&due, begin.Add(24*time.Hour).Unix(), false)
	for i := range 5 { // meanwhile some are given up
		g.put("api", services.Sample{At: at(begin.Add(time.Duration(10*mostSpans+i) * services.FineStep)), CPU: float64(10*mostSpans + i)})
	}
	for _, b := range due.bundles {
		g.written(b)
	}
	if got := g.list("api"); len(got) != 5 || got[0].CPU != 10*mostSpans {
		t.Errorf("left are %+v", got)
	}
	g.due(&due, begin.Add(48*time.Hour).Unix(), false)
	for _, b := range due.bundles {
		g.written(b)
	}
	if g.due(&due, 0, true); len(g.named) != 0 {
		t.Error("a server that is gone is kept")
	}
}

func TestARepeatedSampleIsLikeOneThatIsNotedAgain(t *testing.T) {
	var repeated, put gauges
	var due [2]batch
	at := func(i int) services.Time { return services.Time{Time: epoch.Add(time.Duration(i) * services.FineStep)} }
	since := at(0).Time
	for i := range 10 * mostSpans {
		for _, name := range []string{"moves", "still", "gone"} {
			s := services.Sample{At: at(i), State: services.VigourUp, Memory: 5}
			moves := i == 0
			if name == "moves" {
				s.Memory, moves = services.Amount(i-i%9), i%9 == 0
			}
			whole := i == 3*mostSpans+1
			if name == "gone" && i >= 3*mostSpans+1 {
				continue
			}
			put.put(name, s)
			if moves || whole {
				repeated.put(name, s)
			}
		}
		if i == 3*mostSpans+1 {
			since = at(i).Time
		} else if i > 0 {
			repeated.repeat(at(i).Time, since)
		}
		if i < 2*mostSpans { // nobody writes
			continue
		}
		if i%4 == 1 {
			put.due(&due[0], at(i).Unix(), false)
			repeated.due(&due[1], at(i).Unix(), false)
			if len(due[0].bundles) != len(due[1].bundles) {
				t.Fatalf("after %d samples %d chunks are due, want %d", i+1, len(due[1].bundles), len(due[0].bundles))
			}
			for j, g := range []*gauges{&put, &repeated} {
				for _, b := range due[j].bundles {
					g.written(b)
				}
			}
		}
		for _, name := range []string{"moves", "still", "gone"} {
			if got, want := repeated.list(name), put.list(name); !slices.Equal(got, want) {
				t.Fatalf("after %d samples of %s there are %+v, want %+v", i+1, name, got, want)
			}
		}
	}
	if put.due(&due[0], at(20*mostSpans).Unix(), true); put.named["gone"] != nil {
		t.Error("a server that is gone is kept")
	}
}
