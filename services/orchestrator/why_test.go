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
