package orchestrator

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
)

func TestADependentStartsWhenTheTaskBeforeItHasCompleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("api", dependsOn("migrate", services.UntilCompleted, services.LostNothing)), server("migrate", task))
		defer h.close()
		synctest.Wait()
		h.phase("api", services.Waiting)
		if why := h.get("api").Why; why != "waiting for migrate (not completed yet)" {
			t.Errorf("why %q", why)
		}
		h.host.crash("migrate", 0)
		synctest.Wait()
		h.phase("migrate", services.Exited)
		h.phase("api", services.Running)
		h.order(services.Restart, "api")
		synctest.Wait()
		if n := h.starts("migrate"); n != 1 {
			t.Errorf("the task ran %d times: what has completed is not run again by a restart of a dependent", n)
		}
	})
}

func TestATaskThatFailedOrEndedUnseenIsNotCompleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("api", dependsOn("migrate", services.UntilCompleted, services.LostNothing)), server("migrate", task))
		defer h.close()
		synctest.Wait()
		h.host.crash("migrate", 3)
		synctest.Wait()
		h.phase("migrate", services.Failed)
		h.phase("api", services.Waiting)
	})
	synctest.Test(t, func(t *testing.T) {
		migrate := services.Record{Name: "migrate", Want: services.Up, Phase: services.Running, Run: &services.Run{ID: "1", Server: "migrate", Boot: "boot"}}
		h := open(t, newFakeHost(), []services.Record{migrate}, false, server("migrate", task))
		defer h.close()
		synctest.Wait()
		if s := h.get("migrate"); s.Phase != services.Failed || s.Exit == nil || s.Exit.Seen {
			t.Errorf("%s, exit %+v", s.Phase, s.Exit)
		}
	})
}

func TestADependentThatNeedsOnlyTheStartDoesNotWaitForThePort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("api", dependsOn("db", services.UntilStarted, services.LostNothing)), server("db", onPort(5432)))
		defer h.close()
		synctest.Wait()
		h.phase("api", services.Running)
		if api, db := h.get("api").Until, h.get("db").Until; api["db"] != services.UntilStarted || db != nil {
			t.Errorf("the conditions of api are %v, of db %v", api, db)
		}
	})
}

func TestTheLossOfADependencyDoesWhatTheDependentSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("db", func(s *services.Server) { s.Backoff = services.Backoff{} }),
			server("stays", dependsOn("db", services.UntilReady, services.LostNothing)),
			server("follows", dependsOn("db", services.UntilReady, services.LostRestart)),
			server("stops", dependsOn("db", services.UntilReady, services.LostStop)))
		defer h.close()
		synctest.Wait()
		h.host.crash("db", 1) // it is up again before anybody looks
		synctest.Wait()
		for name, want := range map[string]struct {
			phase  services.Phase
			starts int
			why    string
		}{
			"db": {services.Running, 2, "running"}, "stays": {services.Running, 1, "running"}, "follows": {services.Running, 2, "running"},
			"stops": {services.Stopped, 1, "stopped because db, which it depends on, has ended"},
		} {
			if s := h.get(name); s.Phase != want.phase || h.starts(name) != want.starts || s.Why != want.why {
				t.Errorf("%s is %s after %d starts: %s; want %+v", name, s.Phase, h.starts(name), s.Why, want)
			}
		}
		if s := h.get("follows"); s.Restarts != 1 {
			t.Errorf("%d restarts are counted", s.Restarts)
		}
		if s := h.get("stops"); s.Want != services.Down {
			t.Errorf("stops is wanted %s", s.Want)
		}
	})
}

func TestADependentThatWasTakenOverNoticesTheLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		servers := []services.Server{server("db"), server("api", dependsOn("db", services.UntilReady, services.LostRestart))}
		h := open(t, host, nil, true, servers...)
		synctest.Wait()
		h.close()
		h = open(t, host, h.trades.all(), false, servers...)
		defer h.close()
		synctest.Wait()
		if n := h.starts("api"); n != 1 {
			t.Fatalf("api was started %d times", n)
		}
		h.host.crash("db", 1)
		synctest.Wait()
		if s := h.get("api"); s.Phase != services.Waiting {
			t.Errorf("api is %s (%s), want it waiting for db", s.Phase, s.Why)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		h.phase("api", services.Running)
	})
}

func TestAStopOfEverythingIsNoLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("db"), server("api", dependsOn("db", services.UntilReady, services.LostRestart)))
		defer h.close()
		synctest.Wait()
		if err := h.StopAll(t.Context(), services.Stop); err != nil {
			t.Fatal(err)
		}
		if s := h.get("api"); s.Phase != services.Stopped || !strings.Contains(s.Why, "the manager ended") || h.starts("api") != 1 {
			t.Errorf("api is %s: %s, started %d times", s.Phase, s.Why, h.starts("api"))
		}
	})
}
