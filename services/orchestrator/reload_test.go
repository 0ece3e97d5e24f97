package orchestrator

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
)

func (h *house) load(plan services.Plan, servers ...services.Server) {
	h.t.Helper()
	if err := h.Reload(h.t.Context(), servers, plan, "cli"); err != nil {
		h.t.Fatalf("reload: %v", err)
	}
	synctest.Wait()
}

func (h *house) names() (names []string) {
	list, _ := h.List(h.t.Context())
	for _, s := range list {
		names = append(names, s.Name)
	}
	return names
}

func restarts(names ...string) (plan services.Plan) {
	for _, name := range names {
		plan.Restart = append(plan.Restart, services.Change{Server: name})
	}
	return plan
}

func TestAReloadAddsRemovesRestartsAndLeavesTheRestAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("old"), server("same"), server("changed"), server("down", off))
		defer h.close()
		synctest.Wait()
		same := h.get("same")
		changed := server("changed", func(s *services.Server) { s.Command.Argv = []string{"/bin/other"} })
		h.load(restarts("changed", "down"), server("new", needs("base")), server("same"), changed, server("down", off), server("base", off), server("idle", off))
		if got := h.names(); !slices.Equal(got, []string{"new", "same", "changed", "down", "base", "idle"}) {
			t.Errorf("the list is %v", got)
		}
		for name, phase := range map[string]services.Phase{
			"new": services.Running, "base": services.Running, "changed": services.Running, "down": services.Stopped, "idle": services.Stopped,
		} {
			h.phase(name, phase)
		}
		if s := h.get("same"); s.PID != same.PID || s.Rev != same.Rev {
			t.Errorf("what did not change was touched: %+v, was %+v", s, same)
		}
		if h.starts("changed") != 2 || h.starts("old") != 1 || h.starts("down") != 0 {
			t.Errorf("started %v", h.host.started)
		}
		if _, ok := h.trades.records["old"]; ok {
			t.Error("the record of what is gone was not forgotten")
		}
		if rec := h.trades.records["idle"]; rec.Name != "idle" || rec.Want != services.Down {
			t.Errorf("the record of what is new is %+v", rec)
		}
		if len(h.host.live) != 4 {
			t.Errorf("%d processes are alive", len(h.host.live))
		}
	})
}

func TestAReloadStartsWhatHasFailedAndIsOtherwiseNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		never := func(s *services.Server) { s.Restart = services.RestartNever }
		all := []services.Server{server("failed", never), server("waits"), server("same", never), server("nightly", scheduled(services.OverlapSkip)), server("ended", never)}
		h := open(t, newFakeHost(), nil, true, all...)
		defer h.close()
		synctest.Wait()
		h.order(services.Start, "nightly")
		synctest.Wait()
		for _, name := range []string{"failed", "waits", "same", "nightly"} {
			h.host.crash(name, 1)
		}
		h.host.crash("ended", 0)
		synctest.Wait()
		h.phase("waits", services.BackOff)
		h.load(restarts("failed", "waits", "nightly", "ended"), all...)
		for name, phase := range map[string]services.Phase{
			"failed": services.Running, "waits": services.Running, "same": services.Failed, "nightly": services.Failed, "ended": services.Exited,
		} {
			h.phase(name, phase)
		}
	})
}

func TestAReloadStopsDependentsFirstAndWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		host.deaf["api"] = true
		h := open(t, host, nil, true, server("db"), server("api", needs("db")), server("stays"))
		defer h.close()
		synctest.Wait()
		h.load(services.Plan{}, server("stays"))
		if got := host.signalled(); got != "api" {
			t.Errorf("signalled %q", got)
		}
		s := h.get("api")
		if s.Phase != services.Stopping || s.OrphanKind == nil || *s.OrphanKind != services.Unconfigured {
			t.Errorf("api is %s, orphan %v", s.Phase, s.OrphanKind)
		}
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if got := host.signalled(); got != "api db" {
			t.Errorf("signalled %q", got)
		}
		if got := h.names(); !slices.Equal(got, []string{"stays"}) {
			t.Errorf("the list is %v", got)
		}
	})
}

func TestWhatComesBackWhileItIsBeingStoppedIsTheSameServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		host.deaf["api"] = true
		h := open(t, host, nil, true, server("api"))
		defer h.close()
		synctest.Wait()
		h.load(services.Plan{}, server("other"))
		h.load(services.Plan{}, server("api"))
		if s := h.get("api"); s.Orphaned || s.Phase != services.Stopping {
			t.Errorf("%+v", s)
		}
		h.order(services.Start, "api")
		time.Sleep(10 * time.Second)
		synctest.Wait()
		h.phase("api", services.Running)
		if h.starts("api") != 2 || len(host.both) > 0 {
			t.Errorf("started %v, twice at once %v", host.started, host.both)
		}
		h.load(services.Plan{}, server("other"))
		time.Sleep(10 * time.Second)
		synctest.Wait()
		h.load(services.Plan{}, server("api"), server("other"))
		h.phase("api", services.Running)
	})
}

func TestAReloadLinksTheServersAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("a", needs("b")), server("b"), server("c"))
		defer h.close()
		synctest.Wait()
		h.load(services.Plan{}, server("a", needs("c")), server("b"), server("c"))
		h.order(services.Stop, "a", "b", "c")
		synctest.Wait()
		h.order(services.Start, "a")
		synctest.Wait()
		h.phase("a", services.Running)
		h.phase("c", services.Running)
		h.phase("b", services.Stopped)
	})
}

func TestAReloadChangesAScheduleAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("job", task, off))
		defer h.close()
		synctest.Wait()
		h.order(services.Start, "job")
		synctest.Wait()
		h.host.crash("job", 0)
		synctest.Wait()
		h.load(services.Plan{}, server("job", scheduled(services.OverlapSkip)), server("fresh", scheduled(services.OverlapSkip)))
		for _, name := range []string{"job", "fresh"} {
			if s := h.get(name); s.Phase != services.Exited || !s.NextRun.Equal(second(10)) {
				t.Errorf("%s: %s, next run %v", name, s.Phase, s.NextRun)
			}
		}
		h.load(services.Plan{}, server("job", task))
		if s := h.get("job"); !s.NextRun.IsZero() || s.Schedule != "" {
			t.Errorf("next run %v", s.NextRun)
		}
	})
}
