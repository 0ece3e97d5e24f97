package orchestrator

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
)

func TestWhatIsReadOnAnotherDaySaysOnWhichDayItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("a", func(s *services.Server) { s.Restart = services.RestartNever }), server("b"))
		defer h.close()
		time.Sleep(4 * time.Second)
		now := time.Now().Local()
		h.host.crash("a", 1)
		h.host.crash("b", 1)
		synctest.Wait()
		if s, want := h.get("a"), "exited with code 1 at "+now.Format("15:04:05 on 2 Jan")+" after 4.0 s; its restart policy is never"; s.Why != want {
			t.Errorf("said %q, want %q", s.Why, want)
		}
		if s, want := h.get("b"), "exited with code 1 at "+now.Format("15:04:05")+" after 4.0 s; next attempt at "; !strings.HasPrefix(s.Why, want) {
			t.Errorf("said %q, want %q", s.Why, want)
		}
	})
}

// TestWhatAServerHasSaidBeforeItFailedIsSaid: its last words were nowhere.
func TestWhatAServerHasSaidBeforeItFailedIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("a", func(s *services.Server) { s.Restart = services.RestartNever }))
		defer h.close()
		for _, c := range []struct{ says, want string }{
			{"lost the database", "; it said last: lost the database; its restart policy is never"},
			{strings.Repeat("é", 150), "; it said last: " + strings.Repeat("é", 100) + "…; its restart policy is never"},
			{"\x1b[31mred\u0085", "; it said last:  [31mred ; its restart policy is never"},
			{saysStopping, " after 1ms; its restart policy is never"},
		} {
			synctest.Wait()
			time.Sleep(time.Millisecond)
			h.Notice(Notice{Server: "a", Run: h.get("a").Run, Status: &c.says})
			h.host.crash("a", 1)
			synctest.Wait()
			if s := h.get("a"); !strings.HasSuffix(s.Why, c.want) {
				t.Errorf("said %q, want %q", s.Why, c.want)
			}
			h.order(services.Start, "a")
		}
	})
}

// TestAnEndThatWasOrderedIsNoFailureInARow: a server that had crashed before was
// said to have failed again when it was restarted by an order.
func TestAnEndThatWasOrderedIsNoFailureInARow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("a"))
		defer h.close()
		for range 2 {
			synctest.Wait()
			h.host.crash("a", 1)
			time.Sleep(time.Second)
		}
		synctest.Wait()
		h.order(services.Restart, "a")
		synctest.Wait()
		var said string // at the last end
		last := h.bus.Last()
		for e := range h.bus.Watch(t.Context(), 0) {
			if e.Kind == services.EventExited {
				said = e.Message
			}
			if e.ID == last {
				break
			}
		}
		if !strings.Contains(said, "killed by SIGTERM") || strings.Contains(said, "in a row") {
			t.Errorf("said %q", said)
		}
	})
}

func TestAnInstantOfAnotherDayIsWrittenWithItsDay(t *testing.T) {
	now := time.Now()
	noon := time.Date(now.Year(), now.Month(), now.Day(), 12, 0, 0, 0, time.Local)
	if got := ahead(noon); got != "12:00:00" {
		t.Errorf("today: %s", got)
	}
	for _, at := range []time.Time{noon.AddDate(0, 0, 1), noon.AddDate(1, 0, 0)} {
		if got := ahead(at); got != "12:00:00 on "+at.Format("2 Jan") {
			t.Errorf("%v: %s", at, got)
		}
	}
}
