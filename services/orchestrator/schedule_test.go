package orchestrator

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
)

// second is an instant of a bubble, whose time begins at a full minute.
func second(n int) time.Time {
	return time.Date(2000, 1, 1, 0, 0, n, 0, time.UTC)
}

func TestAScheduledTaskRunsAtItsTimesAndNotBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("job", scheduled(services.OverlapSkip)))
		defer h.close()
		synctest.Wait()
		s := h.get("job")
		if s.Phase != services.Exited || !s.NextRun.Equal(second(10)) || !strings.HasPrefix(s.Why, "waits for its schedule; next run at ") {
			t.Errorf("%s, next run %v: %s", s.Phase, s.NextRun, s.Why)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		h.phase("job", services.Running)
		h.host.crash("job", 0)
		synctest.Wait()
		if s := h.get("job"); s.Phase != services.Exited || !s.NextRun.Equal(second(20)) || !strings.Contains(s.Why, "exited with code 0") {
			t.Errorf("%s, next run %v: %s", s.Phase, s.NextRun, s.Why)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		h.host.crash("job", 1)
		synctest.Wait()
		if s := h.get("job"); s.Phase != services.Failed || !strings.Contains(s.Why, "next run at") {
			t.Errorf("%s: %s", s.Phase, s.Why)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		h.phase("job", services.Running) // a failure does not end the schedule
	})
}

func TestAClockThatIsSetBackFarMakesAScheduleWaitForNothingThatWillNotCome(t *testing.T) {
	waits := second(40)
	for _, c := range []struct {
		what string
		now  time.Time
		want time.Time
	}{
		{"nothing has happened", second(35), waits},
		{"its time has come", waits, second(50)},
		{"the clock was set back by an hour, as at the end of summer", second(35).Add(-time.Hour), waits},
		{"the clock was wrong by years", second(35).AddDate(-10, 0, 0), second(40).AddDate(-10, 0, 0)},
		{"the clock was set forward", second(35).AddDate(1, 0, 0), second(40).AddDate(1, 0, 0)},
	} {
		next := func(after time.Time) time.Time { return after.Truncate(10 * time.Second).Add(10 * time.Second) }
		if got := fireAfter(c.now, waits, next); !got.Equal(c.want) {
			t.Errorf("%s: it waits for %v, want %v", c.what, got, c.want)
		}
	}
}

func TestATimeAtWhichTheTaskStillRunsFollowsTheOverlapPolicy(t *testing.T) {
	for overlap, want := range map[services.Overlap]struct{ during, after int }{
		services.OverlapSkip: {1, 1}, services.OverlapQueue: {1, 2}, services.OverlapKill: {3, 3},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := open(t, newFakeHost(), nil, true, server("job", scheduled(overlap)))
			defer h.close()
			time.Sleep(35 * time.Second) // three times have come
			synctest.Wait()
			during := h.starts("job")
			h.host.crash("job", 0)
			synctest.Wait()
			if after := h.starts("job"); during != want.during || after != want.after {
				t.Errorf("%s: started %d times, then %d, want %+v", overlap, during, after, want)
			}
		})
	}
}

func TestAStoppedTaskHasNoScheduleAndAStartRunsItNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("job", scheduled(services.OverlapSkip)))
		defer h.close()
		synctest.Wait()
		h.order(services.Stop, "job")
		time.Sleep(25 * time.Second)
		synctest.Wait()
		if s := h.get("job"); h.starts("job") != 0 || s.Phase != services.Stopped || !s.NextRun.IsZero() {
			t.Errorf("%s after %d starts, next run %v", s.Phase, h.starts("job"), s.NextRun)
		}
		h.order(services.Start, "job")
		synctest.Wait()
		if s := h.get("job"); s.Phase != services.Running || !s.NextRun.Equal(second(30)) {
			t.Errorf("%s, next run %v", s.Phase, s.NextRun)
		}
	})
}

func TestAManagerThatWasKilledLeavesTheScheduleToTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		h := open(t, host, nil, true, server("job", scheduled(services.OverlapSkip)))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		h.host.crash("job", 0)
		synctest.Wait()
		h.close()
		h = open(t, host, h.trades.all(), false, server("job", scheduled(services.OverlapSkip)))
		defer h.close()
		synctest.Wait()
		if s := h.get("job"); s.Phase != services.Exited || !s.NextRun.Equal(second(20)) || h.starts("job") != 1 {
			t.Errorf("%s, next run %v, %d starts", s.Phase, s.NextRun, h.starts("job"))
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		h.phase("job", services.Running)
	})
}
