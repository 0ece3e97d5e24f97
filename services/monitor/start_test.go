package monitor

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestAServerThatIsBeingStartedIsReportedSoonAfterItsPortAnswers(t *testing.T) {
	for _, takes := range []time.Duration{0, 5 * time.Millisecond, 100 * time.Millisecond, 700 * time.Millisecond, 2 * time.Second} {
		t.Run(takes.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				port := free(t)
				h := open(t, DefaultInterval, Target{Server: "a", Port: port})
				h.after(time.Second)
				h.Hurry("a")
				h.set(func() { h.targets[0] = Target{Server: "a", Run: "r", Port: port, Alive: true} })
				h.want(h.after(takes)) // silence: it is starting
				if _, err := reopen(t, port); err != nil {
					t.Fatal(err)
				}
				limit := takes/part + 3*soon
				got := h.after(limit)
				if len(got) != 1 || got[0].Healthy == nil || !*got[0].Healthy || got[0].Run != "r" {
					t.Fatalf("within %v: %d results", limit, len(got))
				}
				h.after(DefaultInterval - takes - limit)
				looks := h.looks()
				if n := len(h.after(2 * DefaultInterval)); n != 2 || h.looks() != looks+2 {
					t.Errorf("afterwards it is one of many, but there were %d results, %d looks", n, h.looks()-looks)
				}
				h.stop()
			})
		})
	}
}

func TestAServerWhosePortNeverAnswersIsReportedFromOneIntervalOnEverMoreSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port := free(t)
		h := open(t, time.Second, Target{Server: "a", Run: "r", Port: port, Alive: true})
		h.after(500 * time.Millisecond)
		h.Hurry("a")
		began := time.Now()
		h.want(h.after(time.Second - 1))
		got := h.after(time.Second / 2)
		if len(got) == 0 || *got[0].Healthy || got[0].Why != fmt.Sprintf("nothing listens on port %d", port) {
			t.Fatalf("reported %v", got)
		}
		if first := got[0].At.Sub(began); first < time.Second || first > 5*time.Second/4+2*soon {
			t.Errorf("the first report came after %v", first)
		}
		h.after(10 * time.Second)
		if n := len(h.after(10 * time.Second)); n != 10 {
			t.Errorf("%d reports in ten intervals", n)
		}
		h.stop()
	})
}

func TestAServerThatHangsAtItsStartIsReportedToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port := hang(t)
		h := open(t, time.Second, Target{Server: "a", Run: "r", Port: port, Alive: true})
		h.Hurry("a")
		got := h.after(3 * time.Second)
		if len(got) == 0 || *got[0].Healthy {
			t.Fatalf("reported %v", got)
		}
		h.stop()
	})
}

func TestHurryIsForgottenWhereThereIsNothingToWaitFor(t *testing.T) {
	for name, target := range map[string]Target{
		"it has no port":      {Server: "a", Run: "r", Alive: true},
		"it never comes up":   {Server: "a"},
		"it is not there":     {Server: "b"},
		"it stays down":       {Server: "a", Port: 1},
		"another one is well": {Server: "b", Run: "r", Alive: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, time.Second, target)
				h.Hurry("a")
				h.after(2500 * time.Millisecond)
				looks := h.looks()
				h.after(5 * time.Second)
				if h.looks() != looks+5 {
					t.Errorf("%d looks in five intervals", h.looks()-looks)
				}
				h.stop()
			})
		})
	}
}

// TestANewRunIsReportedAlthoughTheOldOneWasSeenFirst: the orchestrator calls
// Hurry before it shows the new run.
func TestANewRunIsReportedAlthoughTheOldOneWasSeenFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, _ := listen(t, "tcp", "127.0.0.1:0")
		h := open(t, DefaultInterval, Target{Server: "a", Run: "old", Port: port, Alive: true})
		h.after(time.Second)
		h.Hurry("a")
		h.want(h.after(soon), "1.01s a/old true")
		h.set(func() { h.targets[0].Run = "new" })
		got := h.after(5 * soon)
		if len(got) != 1 || got[0].Run != "new" || !*got[0].Healthy {
			t.Errorf("reported %v", got)
		}
		h.stop()
	})
}

func TestARestartEndsTheCheckOfTheRunBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := hang(t)
		h := open(t, DefaultInterval, Target{Server: "a", Run: "old", Port: hung, Alive: true})
		h.after(500 * time.Millisecond) // the check is under way
		port, _ := listen(t, "tcp", "127.0.0.1:0")
		h.set(func() { h.targets[0] = Target{Server: "a", Run: "new", Port: port, Alive: true} })
		h.Hurry("a")
		h.want(h.after(2*time.Second), "510ms a/new true")
		h.stop()
	})
}

func TestAThousandStartsAreLookedAtTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 1000
		port, _ := listen(t, "tcp", "127.0.0.1:0")
		targets := make([]Target, n)
		for i := range targets {
			targets[i] = Target{Server: fmt.Sprint(i), Run: "r", Port: port, Alive: true}
		}
		h := open(t, DefaultInterval, targets...)
		for _, target := range targets {
			h.Hurry(target.Server)
		}
		reached := make(map[string]bool)
		for _, r := range h.after(10 * soon) {
			reached[r.Server] = reached[r.Server] || *r.Healthy
		}
		if len(reached) != n || h.looks() > 10 {
			t.Errorf("%d reached after %d looks", len(reached), h.looks())
		}
		h.stop()
	})
}
