package history

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
)

// story tells a store about one server, a second between two events.
type story struct {
	h  *house
	id uint64
}

func (s *story) tell(kind services.EventKind, st services.Status, crash bool) {
	<-time.After(time.Second)
	s.id++
	s.h.Event(services.Event{ID: s.id, At: at(time.Now()), Kind: kind, Server: "api", Message: "api", Crash: crash, Status: &st})
}

// up is the status of a server that runs.
func up(run string, started time.Time) services.Status {
	return services.Status{Phase: services.Running, Running: true, Run: run, StartedAt: at(started)}
}

// over is the status of a server whose run has ended.
func over(code int, phase services.Phase) services.Status {
	return services.Status{Phase: phase, Exit: &services.Exit{Code: code, Seen: true, At: time.Now().Add(time.Second)}}
}

// write writes runs down: id, seconds of beginning and end, how it ended.
func write(runs []services.PastRun, begin time.Time) string {
	var out []string
	for _, r := range runs {
		text := fmt.Sprintf("%s %v-", r.ID, r.StartedAt.Sub(begin).Seconds())
		if !r.EndedAt.IsZero() {
			text += fmt.Sprintf("%v %s", r.EndedAt.Sub(begin).Seconds(), r.Exit.Reason())
		} else if r.Exit != nil {
			text += " exit without an end"
		}
		if r.Crash {
			text += " crash"
		}
		if len(r.Lines) > 0 {
			text += " " + strings.Join(r.Lines, "|")
		}
		out = append(out, text)
	}
	return strings.Join(out, "; ")
}

func TestRunsFollowFromEvents(t *testing.T) {
	const unseen = "ended unseen, exit status unknown"
	for name, tt := range map[string]struct {
		tell func(s *story, begin time.Time)
		want string
	}{
		"one that goes on": {func(s *story, begin time.Time) {
			s.tell(services.EventStarted, up("a", begin), false)
			s.tell(services.EventHealth, up("a", begin), false)
		}, "a 0-"},
		"one that ended well": {func(s *story, begin time.Time) {
			s.tell(services.EventStarted, up("a", begin), false)
			s.tell(services.EventExited, over(0, services.Exited), false)
			s.tell(services.EventChanged, over(0, services.Stopped), false)
		}, "a 0-2 exited with code 0"},
		"a crash has its lines": {func(s *story, begin time.Time) {
			s.h.lines["api"] = []string{"one", "two"}
			s.tell(services.EventStarted, up("a", begin), false)
			s.tell(services.EventExited, over(3, services.BackOff), true)
			s.tell(services.EventStarted, up("b", begin.Add(3*time.Second)), false)
		}, "b 3-; a 0-2 exited with code 3 crash one|two"},
		"up again before anybody was told": {func(s *story, begin time.Time) {
			s.tell(services.EventStarted, up("a", begin), false)
			st := up("b", begin.Add(2*time.Second))
			st.Exit = &services.Exit{Code: -1, Signal: syscall.SIGKILL, Seen: true, At: begin.Add(1900 * time.Millisecond)}
			s.tell(services.EventExited, st, true)
			s.tell(services.EventStarted, st, false)
		}, "b 2-; a 0-1.9 killed by SIGKILL crash"},
		"the exit names its run": {func(s *story, begin time.Time) {
			st := over(1, services.BackOff)
			st.Run, st.StartedAt = "a", at(begin)
			s.tell(services.EventExited, st, true)
		}, "a 0-1 exited with code 1 crash"},
		"an exit of nobody knows what": {func(s *story, begin time.Time) {
			s.tell(services.EventExited, over(1, services.BackOff), true)
		}, ""},
		"what has left something behind ends with it": {func(s *story, begin time.Time) {
			s.tell(services.EventStarted, up("a", begin), false)
			st := over(1, services.Stopping)
			st.StartedAt, st.Running = at(begin), true
			s.tell(services.EventChanged, st, false)
			s.tell(services.EventExited, over(2, services.Stopped), false)
		}, "a 0-3 exited with code 2"},
		"an end that was not told": {func(s *story, begin time.Time) {
			s.tell(services.EventStarted, up("a", begin), false)
			s.tell(services.EventChanged, over(4, services.Stopped), false)
		}, "a 0-2 exited with code 4"},
		"an end that is older is not its own": {func(s *story, begin time.Time) {
			old := over(4, services.Stopped)
			old.Exit.At = begin.Add(-time.Hour)
			s.tell(services.EventStarted, up("a", begin), false)
			s.tell(services.EventChanged, old, false)
		}, "a 0-2 " + unseen},
		"a beginning that was not told": {func(s *story, begin time.Time) {
			s.tell(services.EventHealth, up("a", begin), false)
			s.tell(services.EventHealth, up("b", begin.Add(2*time.Second)), false)
		}, "b 2-; a 0-2 " + unseen},
		"one that left the configuration": {func(s *story, begin time.Time) {
			s.tell(services.EventStarted, up("a", begin), false)
			s.tell(services.EventExited, over(0, services.Stopped), false)
			s.tell(services.EventRemoved, services.Status{}, false)
			s.tell(services.EventStarted, up("c", begin.Add(4*time.Second)), false)
			s.tell(services.EventRemoved, services.Status{}, false)
		}, "c 4-5 " + unseen + "; a 0-2 exited with code 0"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, file(t))
				begin := time.Now()
				tt.tell(&story{h: h}, begin)
				h.settle()
				if got := write(h.runs("api"), begin); got != tt.want {
					t.Errorf("\n got %s\nwant %s", got, tt.want)
				}
				h.end()
			})
		})
	}
}

func TestARunIsTheSameInTheNextManager(t *testing.T) {
	for name, tt := range map[string]struct {
		tell func(s *story, begin time.Time)
		want string
	}{
		"adopted":          {func(s *story, begin time.Time) { s.tell(services.EventAdopted, up("a", begin), false) }, "a 0-"},
		"nothing is known": {func(s *story, begin time.Time) {}, "a 0-"},
		"ended meanwhile":  {func(s *story, begin time.Time) { s.tell(services.EventExited, over(1, services.BackOff), true) }, "a 0-3 exited with code 1 crash"},
		"the machine restarted": {func(s *story, begin time.Time) {
			s.tell(services.EventStarted, up("b", begin.Add(3*time.Second)), false)
		}, "b 3-; a 0-3 ended unseen, exit status unknown"},
		"it is down": {func(s *story, begin time.Time) {
			s.tell(services.EventOrphan, services.Status{Phase: services.Stopped}, false)
		}, "a 0-3 ended unseen, exit status unknown"},
		"ended and up again": {func(s *story, begin time.Time) {
			st := up("b", begin.Add(3*time.Second))
			st.Exit = &services.Exit{Code: -1, At: begin.Add(2900 * time.Millisecond)}
			s.tell(services.EventExited, st, false)
			s.tell(services.EventStarted, st, false)
		}, "b 3-; a 0-2.9 ended unseen, exit status unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := file(t)
				h := open(t, path)
				begin := time.Now()
				s := &story{h: h}
				s.tell(services.EventStarted, up("a", begin), false)
				h.settle()
				h.end()
				h = open(t, path)
				s.h = h
				tt.tell(s, begin)
				h.settle()
				if got := write(h.runs("api"), begin); got != tt.want {
					t.Errorf("\n got %s\nwant %s", got, tt.want)
				}
				h.end()
			})
		})
	}
}

func TestOfSeveralCrashesAtOnceTheLastHasTheLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, file(t))
		h.lines["api"] = []string{"oh"}
		begin := time.Now()
		s := &story{h: h}
		for n := range 3 {
			s.tell(services.EventStarted, up(fmt.Sprint(n), time.Now()), false)
			s.tell(services.EventExited, over(1, services.BackOff), true)
		}
		h.run()
		h.settle()
		const want = "2 4-6 exited with code 1 crash oh; 1 2-4 exited with code 1 crash; 0 0-2 exited with code 1 crash"
		if got := write(h.runs("api"), begin); got != want {
			t.Errorf("\n got %s\nwant %s", got, want)
		}
		if len(h.asked) != 1 {
			t.Errorf("lines were asked for %d times", len(h.asked))
		}
		h.end()
	})
}

func TestTheLinesOfACrashAreAskedForByTheBeginningOfItsRun(t *testing.T) {
	for name, tell := range map[string]func(s *story, begin time.Time, next func()){
		"at once": func(s *story, begin time.Time, _ func()) {
			s.tell(services.EventStarted, up("a", begin), false)
			s.tell(services.EventExited, over(1, services.BackOff), true)
		},
		"written before": func(s *story, begin time.Time, _ func()) {
			s.tell(services.EventStarted, up("a", begin), false)
			s.h.settle()
			s.tell(services.EventExited, over(1, services.BackOff), true)
		},
		"up again before anybody was told": func(s *story, begin time.Time, _ func()) {
			s.tell(services.EventStarted, up("a", begin), false)
			st := up("b", begin.Add(2*time.Second))
			st.Exit = over(1, services.BackOff).Exit
			s.tell(services.EventExited, st, true)
			s.tell(services.EventStarted, st, false)
		},
		"adopted with a rounded time": func(s *story, begin time.Time, next func()) {
			s.tell(services.EventStarted, up("a", begin), false)
			next()
			s.tell(services.EventAdopted, up("a", begin.Add(-9*time.Millisecond)), false)
			s.tell(services.EventExited, over(1, services.BackOff), true)
		},
		"ended between two managers": func(s *story, begin time.Time, next func()) {
			s.tell(services.EventStarted, up("z", begin.Add(-time.Minute)), false)
			s.tell(services.EventExited, over(0, services.Stopped), false)
			s.tell(services.EventStarted, up("a", begin), false)
			next()
			s.tell(services.EventExited, over(1, services.BackOff), true)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := file(t)
				s := &story{h: open(t, path)}
				begin := time.Now()
				tell(s, begin, func() {
					s.h.settle()
					s.h.end()
					s.h = open(t, path)
				})
				s.h.settle()
				if len(s.h.asked) != 1 || !s.h.asked[0].Equal(begin) {
					t.Errorf("asked for %v, want %v", s.h.asked, begin)
				}
				s.h.end()
			})
		})
	}
}

func TestRunsComeInPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, file(t))
		begin := time.Now()
		s := &story{h: h}
		for n := range 5 {
			s.tell(services.EventStarted, up(fmt.Sprint(n), begin.Add(time.Duration(n)*time.Second)), false)
		}
		h.Event(services.Event{ID: 100, At: at(begin), Kind: services.EventStarted, Server: "db", Status: &services.Status{Run: "x", StartedAt: at(begin)}})
		h.settle()
		before := time.Time{}
		var got []string
		for {
			runs, err := h.Runs(t.Context(), "api", before, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(runs) == 0 {
				break
			}
			for _, r := range runs {
				got = append(got, r.ID)
				if r.Server != "api" || r.Lines == nil {
					t.Errorf("got %+v", r)
				}
			}
			before = runs[len(runs)-1].StartedAt.Time
		}
		if text := strings.Join(got, " "); text != "4 3 2 1 0" {
			t.Errorf("got %s", text)
		}
		if runs := h.runs("nobody"); runs == nil || len(runs) != 0 {
			t.Errorf("got %v", runs)
		}
		h.end()
	})
}
