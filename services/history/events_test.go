package history

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
)

func TestEveryPartOfAnEventThatIsKeptComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := file(t)
		h := open(t, path)
		now := time.Now()
		in := services.Event{ID: 7, At: at(now.Add(123456 * time.Microsecond)), Kind: services.EventExited, Server: "api", Message: "api: broke\x00 'ä'", By: "anna",
			Crash: true, Resolve: true, Status: &services.Status{Phase: services.BackOff, Why: "x"}}
		h.Event(in)
		h.Event(services.Event{ID: 8, At: at(now), Kind: services.EventManager, Message: "begun"})
		h.Event(services.Event{ID: 9, At: at(now), Kind: services.EventReset, Message: "events were missed"})
		h.settle()
		for range 2 { // before and after the manager ended
			got := h.events(services.HistoryQuery{})
			if ids(got) != "8 7" || got.Next != 0 {
				t.Fatalf("got %s, next %d", ids(got), got.Next)
			}
			e := got.Events[1]
			if !e.At.Equal(now.Add(123 * time.Millisecond)) {
				t.Errorf("at %v", e.At)
			}
			if e.Kind != in.Kind || e.Server != in.Server || e.Message != in.Message || e.By != in.By || !e.Crash || !e.Resolve {
				t.Errorf("got %+v", e)
			}
			if e.Status == nil || e.Status.Phase != services.BackOff || e.Status.ID != "api" || e.Status.Why != "" {
				t.Errorf("status %+v", e.Status)
			}
			if e := got.Events[0]; e.Crash || e.Resolve || e.Status != nil || e.Server != "" || e.By != "" {
				t.Errorf("got %+v", e)
			}
			h.end()
			h = open(t, path)
		}
		h.end()
		h.wantReports()
	})
}

func TestEachFilterSelectsWhatItSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, file(t))
		begin := time.Now()
		put := func(n int, kind services.EventKind, server, message, by string) {
			h.Event(services.Event{ID: uint64(n), At: at(begin.Add(time.Duration(n) * time.Second)), Kind: kind, Server: server, Message: message, By: by})
		}
		put(1, services.EventStarted, "api", "api: starting", "anna")
		put(2, services.EventStarted, "db", "db: STARTING", "")
		put(3, services.EventExited, "api", "api: exited with 100% of_luck", "")
		put(4, services.EventManager, "", "the manager has begun", "")
		put(5, services.EventHealth, "web", "web: unhealthy", "")
		put(6, services.EventStarted, "api", `api: a\b`, "Bob")
		h.settle()
		for name, tt := range map[string]struct {
			q    services.HistoryQuery
			want string
		}{
			"nothing":               {services.HistoryQuery{}, "6 5 4 3 2 1"},
			"a server":              {services.HistoryQuery{Servers: []string{"api"}}, "6 3 1"},
			"two servers":           {services.HistoryQuery{Servers: []string{"web", "db"}}, "5 2"},
			"no such server":        {services.HistoryQuery{Servers: []string{"nobody"}}, ""},
			"a kind":                {services.HistoryQuery{Kinds: []services.EventKind{services.EventStarted}}, "6 2 1"},
			"two kinds":             {services.HistoryQuery{Kinds: []services.EventKind{services.EventManager, services.EventExited}}, "4 3"},
			"a server and a kind":   {services.HistoryQuery{Servers: []string{"api"}, Kinds: []services.EventKind{services.EventStarted}}, "6 1"},
			"servers and a kind":    {services.HistoryQuery{Servers: []string{"api", "db"}, Kinds: []services.EventKind{services.EventStarted}}, "6 2 1"},
			"text in any case":      {services.HistoryQuery{Text: "Starting"}, "2 1"},
			"text of a server":      {services.HistoryQuery{Text: "WEB"}, "5"},
			"text of who":           {services.HistoryQuery{Text: "bob"}, "6"},
			"a percent sign":        {services.HistoryQuery{Text: "%"}, "3"},
			"an underscore":         {services.HistoryQuery{Text: "_"}, "3"},
			"a backslash":           {services.HistoryQuery{Text: `\`}, "6"},
			"a quote":               {services.HistoryQuery{Text: `' OR 1=1 --`}, ""},
			"since":                 {services.HistoryQuery{Since: begin.Add(5 * time.Second)}, "6 5"},
			"until":                 {services.HistoryQuery{Until: begin.Add(2 * time.Second)}, "1"},
			"since and until":       {services.HistoryQuery{Since: begin.Add(2 * time.Second), Until: begin.Add(4 * time.Second)}, "3 2"},
			"before":                {services.HistoryQuery{Before: 3}, "2 1"},
			"before the first":      {services.HistoryQuery{Before: 1}, ""},
			"before the end of all": {services.HistoryQuery{Before: services.Now}, "6 5 4 3 2 1"},
			"limit":                 {services.HistoryQuery{Limit: 2}, "6 5"},
			"everything": {services.HistoryQuery{Servers: []string{"api", "db"}, Kinds: []services.EventKind{services.EventStarted, services.EventExited}, Text: "A",
				Since: begin.Add(time.Second), Until: begin.Add(6 * time.Second), Before: 6, Limit: 2}, "3 2"},
		} {
			if got := ids(h.events(tt.q)); got != tt.want {
				t.Errorf("%s: got %q, want %q", name, got, tt.want)
			}
		}
		h.end()
	})
}

func TestPagesHaveTheirLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, file(t))
		for n := range 1500 {
			h.Event(event(n+1, services.EventHealth, "api", "x"))
		}
		h.settle()
		for _, tt := range []struct {
			limit, want int
			next        uint64
		}{{0, 100, 1401}, {-1, 100, 1401}, {1, 1, 1500}, {1000, 1000, 501}, {5000, 1000, 501}} {
			got := h.events(services.HistoryQuery{Limit: tt.limit})
			if len(got.Events) != tt.want || got.Next != tt.next {
				t.Errorf("limit %d: %d events, next %d", tt.limit, len(got.Events), got.Next)
			}
		}
		if got := h.events(services.HistoryQuery{Before: 501, Limit: 500}); len(got.Events) != 500 || got.Next != 0 {
			t.Errorf("the last page has %d events, next %d", len(got.Events), got.Next)
		}
		h.end()
	})
}

// awaitEvent waits until the event with this id can be read: how long the disk
// takes is not what is tested.
func awaitEvent(t *testing.T, h *house, id int) {
	t.Helper()
	for patience := time.After(time.Minute); ids(h.events(services.HistoryQuery{Limit: 1})) != fmt.Sprint(id); {
		select {
		case <-patience:
			t.Fatalf("event %d is not written", id)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestPagesHaveNoGapsAndNoDoublesWhileEventsAreWritten(t *testing.T) {
	path := file(t)
	h := open(t, path, long)
	const before, after = 3000, 15000
	for n := 1; n <= before; n++ {
		h.Event(event(n, services.EventHealth, "api", "x"))
	}
	awaitEvent(t, h, before)
	h.end()
	h = open(t, path, long)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := before + 1; n <= before+after; n++ {
			h.Event(event(n, services.EventHealth, "api", "x"))
		}
	}()
	for range 3 {
		q := services.HistoryQuery{Limit: 170, Servers: []string{"api"}}
		last := uint64(0)
		for {
			page := h.events(q)
			for _, e := range page.Events {
				if last != 0 && e.ID != last-1 {
					t.Fatalf("%d follows %d", e.ID, last)
				}
				last = e.ID
			}
			if page.Next == 0 {
				break
			}
			q.Before = page.Next
		}
		if last != 1 {
			t.Fatalf("the pages end at %d", last)
		}
	}
	<-done
	awaitEvent(t, h, before+after)
	h.end()
	h = build(t, path)
	if got := h.events(services.HistoryQuery{Limit: 1}); ids(got) != fmt.Sprint(before+after) {
		t.Errorf("the newest is %s", ids(got))
	}
}

func TestAnIdThatRepeatsLosesNeitherEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, file(t))
		for i, id := range []uint64{100, 101, 5, 101, 1 << 63, 0, 200} { // the clock was set back after the second
			e := event(i, services.EventHealth, "api", fmt.Sprint("event ", i))
			e.ID = id
			h.Event(e)
		}
		h.settle()
		const want = "200 0 9223372036854775808 101 5 101 100"
		if got := ids(h.events(services.HistoryQuery{})); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		var all []string
		q := services.HistoryQuery{Limit: 2}
		for {
			page := h.events(q)
			all = append(all, ids(page))
			if q.Before = page.Next; q.Before == 0 {
				break
			}
		}
		if got := strings.Join(all, " "); got != want {
			t.Errorf("in pages: %s, want %s", got, want)
		}
		h.end()
	})
}

func TestALongMessageIsCutBetweenCharacters(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"short", "short"},
		{strings.Repeat("x", longestMessage), strings.Repeat("x", longestMessage)},
		{strings.Repeat("x", longestMessage+1), strings.Repeat("x", longestMessage)},
		{strings.Repeat("x", longestMessage-1) + "ä", strings.Repeat("x", longestMessage-1)},
		{strings.Repeat("\x80", 2*longestMessage), strings.Repeat("\x80", longestMessage-4)},
	} {
		if got := bounded(tt.in); got != tt.want {
			t.Errorf("%d bytes became %d, want %d", len(tt.in), len(got), len(tt.want))
		}
	}
}

func TestAPersonWhoLeavesIsNotAnsweredAndIsNoDamage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, file(t))
		ctx, cancel := contextThatEnded(t)
		defer cancel()
		if _, err := h.Events(ctx, services.HistoryQuery{}); err != ctx.Err() {
			t.Errorf("events: %v", err)
		}
		if _, err := h.Runs(ctx, "api", time.Time{}, 0); err != ctx.Err() {
			t.Errorf("runs: %v", err)
		}
		if _, err := h.Samples(ctx, "api", time.Time{}, time.Time{}, 0); err != ctx.Err() {
			t.Errorf("samples: %v", err)
		}
		h.settle()
		h.end()
		h.wantReports()
		if _, err := h.Events(t.Context(), services.HistoryQuery{}); services.KindOf(err) != services.Unavailable {
			t.Errorf("after the end: %v", err)
		}
	})
}
