package orchestrator

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
	"tend/services/monitor"
)

func TestServersThatAreToStartByThemselvesDoAndOthersDoNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("a"), server("b", off))
		defer h.close()
		synctest.Wait()
		h.phase("a", services.Running)
		h.phase("b", services.Stopped)
		if s := h.get("b"); s.Want != services.Down || s.Why != "not started" {
			t.Errorf("want %s, why %q", s.Want, s.Why)
		}
	})
}

func TestADependentWaitsUntilThePortOfItsDependencyAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("api", needs("db")), server("db", onPort(5432)))
		defer h.close()
		synctest.Wait()
		h.phase("db", services.Running)
		h.phase("api", services.Waiting)
		if why := h.get("api").Why; !strings.Contains(why, "db") {
			t.Errorf("why = %q, want the name of the dependency", why)
		}
		healthy := true
		h.Report(t.Context(), monitor.Result{Server: "db", Run: h.get("db").Run, At: time.Now(), Healthy: &healthy})
		synctest.Wait()
		h.phase("api", services.Running)
	})
}

func TestStoppingSeveralStopsDependentsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		host.deaf["api"] = true
		h := open(t, host, nil, true, server("db"), server("api", needs("db")), server("web", needs("api")))
		defer h.close()
		synctest.Wait()
		h.order(services.Stop, "db", "api", "web")
		synctest.Wait()
		if got := host.signalled(); got != "web api" {
			t.Errorf("signalled %q while api still lives, want \"web api\"", got)
		}
		h.phase("db", services.Stopping)
		time.Sleep(10 * time.Second) // bubble time: the grace period of api
		synctest.Wait()
		if got := host.signalled(); got != "web api db" {
			t.Errorf("signalled %q, want \"web api db\"", got)
		}
		for _, name := range []string{"db", "api", "web"} {
			h.phase(name, services.Stopped)
		}
	})
}

func TestStartingAServerStartsWhatItNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("api", needs("db"), off), server("db", off))
		defer h.close()
		synctest.Wait()
		h.order(services.Start, "api")
		synctest.Wait()
		if got := strings.Join(h.host.started, " "); got != "db api" {
			t.Errorf("started %q, want \"db api\"", got)
		}
	})
}

func TestBackoffGrowsAndIsToldAndGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("a", func(s *services.Server) { s.Backoff.GiveUp = 3 }))
		defer h.close()
		for i, pause := range []time.Duration{100, 200, 400} {
			synctest.Wait()
			h.phase("a", services.Running)
			h.host.crash("a", 1)
			synctest.Wait()
			s := h.get("a")
			if wait := time.Until(s.NextAttempt.Time); s.Phase != services.BackOff || wait > pause*time.Millisecond || wait < pause*time.Millisecond*4/5 {
				t.Errorf("crash %d: %s, next attempt in %v, want backoff and 80 to 100 %% of %d ms", i, s.Phase, wait, pause)
			}
			if s.CrashLoop != (i == 2) {
				t.Errorf("crash %d: crash loop %v", i, s.CrashLoop)
			}
			if s.Exit == nil || s.Exit.Code != 1 || !strings.Contains(s.Why, "exited with code 1") {
				t.Errorf("crash %d: exit %+v, why %q", i, s.Exit, s.Why)
			}
			time.Sleep(pause * time.Millisecond)
		}
		synctest.Wait()
		h.host.crash("a", 1)
		synctest.Wait()
		s := h.get("a")
		if s.Phase != services.Failed || s.Restarts != 3 || !strings.Contains(s.Why, "gave up after 3 restarts") {
			t.Errorf("%s after %d restarts: %s", s.Phase, s.Restarts, s.Why)
		}
		h.order(services.Start, "a")
		synctest.Wait()
		if s := h.get("a"); s.Phase != services.Running || s.Restarts != 0 {
			t.Errorf("after a start: %s, %d restarts", s.Phase, s.Restarts)
		}
	})
}

func TestACommandThatCannotStartFailsWithItsSentence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		host.fail["a"] = services.Errorf(services.Invalid, "command /bin/a does not exist")
		h := open(t, host, nil, true, server("a"), server("b"))
		defer h.close()
		synctest.Wait()
		h.phase("b", services.Running)
		if s := h.get("a"); s.Phase != services.Failed || s.Why != "cannot start: command /bin/a does not exist" {
			t.Errorf("%s: %s", s.Phase, s.Why)
		}
	})
}

func TestAFailureToStartThatMayPassIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		host.fail["a"] = services.Errorf(services.Unavailable, "too many processes")
		h := open(t, host, nil, true, server("a"))
		defer h.close()
		synctest.Wait()
		h.phase("a", services.BackOff)
		host.mu.Lock()
		delete(host.fail, "a")
		host.mu.Unlock()
		time.Sleep(time.Second)
		synctest.Wait()
		h.phase("a", services.Running)
	})
}

func TestLeftoversOfACrashAreEndedBeforeTheNextStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("a", func(s *services.Server) { s.Backoff.Min = 0 }))
		defer h.close()
		synctest.Wait()
		h.host.mu.Lock()
		for _, p := range h.host.live {
			p.leftmen = 1
		}
		h.host.mu.Unlock()
		h.host.crash("a", 1)
		synctest.Wait()
		h.phase("a", services.Running)
		if len(h.host.kills) != 1 || len(h.host.both) != 0 || len(h.host.started) != 2 {
			t.Errorf("kills %v, doubles %v, starts %v", h.host.kills, h.host.both, h.host.started)
		}
	})
}

func TestAServerThatIgnoresTheStopSignalIsKilledAfterTheGracePeriod(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		host.deaf["a"] = true
		h := open(t, host, nil, true, server("a"))
		defer h.close()
		synctest.Wait()
		begin := time.Now()
		order := services.Order{Action: services.Stop, Servers: []string{"a"}}
		if _, err := h.Do(t.Context(), order); err != nil {
			t.Fatal(err)
		}
		if why := h.get("a").Why; !strings.Contains(why, "SIGKILL follows") {
			t.Errorf("why = %q", why)
		}
		if err := services.Await(t.Context(), h, order); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 10*time.Second {
			t.Errorf("took %v, want the grace period", took)
		}
	})
}

func TestARestartBeginsAnewWithoutBackoffAndIsNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("a"))
		defer h.close()
		synctest.Wait()
		before := h.get("a")
		h.order(services.Restart, "a")
		synctest.Wait()
		after := h.get("a")
		if after.Phase != services.Running || after.PID == before.PID || after.Restarts != 0 || after.Rev <= before.Rev {
			t.Errorf("before %+v after %+v", before, after)
		}
	})
}

func TestANewManagerTakesBackWhatRunsWithTheSamePid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		config := []services.Server{server("a"), server("b"), server("gone", func(s *services.Server) { s.Restart = services.RestartNever })}
		first := open(t, host, nil, true, config...)
		synctest.Wait()
		first.order(services.Stop, "b")
		synctest.Wait()
		before := first.get("a")
		first.close()
		host.crash("gone", 0)

		second := open(t, host, first.trades.all(), false, config...)
		defer second.close()
		synctest.Wait()
		after := second.get("a")
		if after.PID != before.PID || after.Phase != services.Running || !after.Adopted || after.Rev <= before.Rev {
			t.Errorf("before %+v after %+v", before, after)
		}
		second.phase("b", services.Stopped)
		if s := second.get("gone"); s.Phase != services.Failed || s.Exit == nil || s.Exit.Seen {
			t.Errorf("a run that ended unseen: %s, exit %+v", s.Phase, s.Exit)
		}
		if got := len(host.started); got != 3 {
			t.Errorf("%d starts, want the 3 of the first manager", got)
		}
	})
}

func TestANewManagerFinishesAnInterruptedStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		host.deaf["a"] = true
		first := open(t, host, nil, true, server("a"))
		synctest.Wait()
		first.order(services.Stop, "a")
		first.close()
		second := open(t, host, first.trades.all(), false, server("a"))
		defer second.close()
		synctest.Wait()
		second.phase("a", services.Stopping)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		second.phase("a", services.Stopped)
	})
}

func TestANewManagerFinishesAnInterruptedRestart(t *testing.T) {
	for _, ends := range []string{"after", "before"} {
		t.Run("the server ends "+ends+" the new manager begins", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				host := newFakeHost()
				host.deaf["a"] = true
				first := open(t, host, nil, true, server("a"))
				synctest.Wait()
				first.order(services.Restart, "a")
				first.close()
				if ends == "before" {
					host.crash("a", 0)
				}
				second := open(t, host, first.trades.all(), false, server("a"))
				defer second.close()
				synctest.Wait()
				if ends == "after" {
					host.crash("a", 0)
					synctest.Wait()
				}
				if s := second.get("a"); s.Phase != services.Running || s.Restarts != 0 || len(host.started) != 2 {
					t.Errorf("%s after %d restarts and %d starts: %s", s.Phase, s.Restarts, len(host.started), s.Why)
				}
			})
		})
	}
}

func TestAServerThatWasGivenUpStaysFailedAcrossManagers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		config := server("a", func(s *services.Server) { s.Restart = services.RestartNever })
		first := open(t, host, nil, true, config)
		synctest.Wait()
		host.crash("a", 7)
		synctest.Wait()
		first.close()
		second := open(t, host, first.trades.all(), false, config)
		defer second.close()
		synctest.Wait()
		if s := second.get("a"); s.Phase != services.Failed || s.Exit == nil || s.Exit.Code != 7 {
			t.Errorf("%s, exit %+v", s.Phase, s.Exit)
		}
	})
}

func TestASurvivorThatIsNotConfiguredAnyMoreIsListedUntilItIsStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		first := open(t, host, nil, true, server("a"), server("old"))
		synctest.Wait()
		pid := first.get("old").PID
		first.close()
		second := open(t, host, first.trades.all(), false, server("a"))
		defer second.close()
		synctest.Wait()
		s := second.get("old")
		if !s.Orphaned || s.OrphanedPID != pid || s.OrphanKind == nil || *s.OrphanKind != services.Unconfigured || !s.Running {
			t.Fatalf("%+v", s)
		}
		_, err := second.Do(t.Context(), services.Order{Action: services.Start, Servers: []string{"old"}})
		if services.KindOf(err) != services.Conflict {
			t.Errorf("start of an orphan: %v, want a conflict", err)
		}
		order := services.Order{Action: services.Stop, Servers: []string{"old"}}
		second.order(services.Stop, "old")
		if err := services.Await(t.Context(), second, order); err != nil {
			t.Error(err)
		}
		if _, err := second.Get(t.Context(), "old"); services.KindOf(err) != services.NotFound {
			t.Errorf("after its stop: %v, want not found", err)
		}
		list, _ := second.List(t.Context())
		if len(list) != 1 {
			t.Errorf("%d servers listed, want 1", len(list))
		}
	})
}

func TestAForeignHolderOfThePortIsNamedAndEndedOnlyByItsPid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		holder := services.Holder{Identity: services.Identity{PID: 77, Start: 5}, Command: "nginx -g x"}
		host.holders[8080] = holder
		h := open(t, host, nil, true, server("a", onPort(8080), off))
		defer h.close()
		synctest.Wait()
		h.Report(t.Context(), monitor.Result{Server: "a", At: time.Now(), Holder: &holder})
		synctest.Wait()
		s := h.get("a")
		if !s.Orphaned || s.OrphanedPID != 77 || *s.OrphanKind != services.Foreign || s.OrphanCommand != "nginx -g x" || !s.Running {
			t.Errorf("%+v", s)
		}
		_, err := h.Do(t.Context(), services.Order{Action: services.Start, Servers: []string{"a"}})
		if services.KindOf(err) != services.Conflict || !strings.Contains(err.Error(), "77") || !strings.Contains(err.Error(), "nginx") {
			t.Errorf("start: %v, want a conflict that names the holder", err)
		}
		h.order(services.Stop, "a")
		if len(host.ended) != 0 {
			t.Error("a plain stop ended a foreign process")
		}
		_, err = h.Do(t.Context(), services.Order{Action: services.Stop, Servers: []string{"a"}, Orphan: 78})
		if services.KindOf(err) != services.Conflict {
			t.Errorf("stop of the wrong pid: %v", err)
		}
		if _, err = h.Do(t.Context(), services.Order{Action: services.Stop, Servers: []string{"a"}, Orphan: 77}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if !slices.Equal(host.ended, []int{77}) || h.get("a").Orphaned {
			t.Errorf("ended %v, orphaned %v", host.ended, h.get("a").Orphaned)
		}
		h.order(services.Start, "a")
		synctest.Wait()
		h.phase("a", services.Running)
	})
}

func TestAChangedCommandIsAdoptedAndMarkedAsDrift(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		first := open(t, host, nil, true, server("a"))
		synctest.Wait()
		first.close()
		changed := server("a", func(s *services.Server) { s.Command.Argv = []string{"/bin/other"} })
		second := open(t, host, first.trades.all(), false, changed)
		defer second.close()
		synctest.Wait()
		if s := second.get("a"); !s.Drift || s.Phase != services.Running {
			t.Errorf("drift %v, %s", s.Drift, s.Phase)
		}
		second.order(services.Restart, "a")
		synctest.Wait()
		if s := second.get("a"); s.Drift {
			t.Error("drift stays after a restart")
		}
	})
}

func TestASecondLiveRunOfAServerIsEndedAndTheRecordedOneKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		first := open(t, host, nil, true, server("a"))
		synctest.Wait()
		pid := first.get("a").PID
		first.close()
		host.mu.Lock()
		host.add(services.Run{ID: "stray", Server: "a", Boot: "boot", Leader: services.Identity{PID: 9, Start: 1}})
		host.mu.Unlock()
		second := open(t, host, first.trades.all(), false, server("a"))
		defer second.close()
		synctest.Wait()
		if s := second.get("a"); s.PID != pid || len(host.live) != 1 {
			t.Errorf("pid %d, %d live runs; want %d and 1", s.PID, len(host.live), pid)
		}
	})
}
