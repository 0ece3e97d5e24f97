package orchestrator

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
	"tend/services/monitor"
)

func TestAnInterruptedEndOfTheManagerForgetsNoWant(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		host.deaf["stubborn"] = true
		config := []services.Server{server("web"), server("stubborn"), server("idle", off), server("done")}
		first := open(t, host, nil, true, config...)
		synctest.Wait()
		host.crash("done", 0)
		synctest.Wait()
		first.order(services.Stop, "web")
		first.order(services.Start, "web")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := first.StopAll(ctx, services.Stop); services.KindOf(err) != services.Unavailable {
			t.Errorf("a stop that takes longer than it may: %v", err)
		}
		first.phase("web", services.Stopped)
		first.phase("stubborn", services.Stopping)
		if _, err := first.Do(t.Context(), services.Order{Action: services.Start, Servers: []string{"web"}}); services.KindOf(err) != services.Unavailable {
			t.Errorf("a start while the manager ends: %v", err)
		}
		first.close()

		second := open(t, host, first.trades.all(), false, config...)
		defer second.close()
		synctest.Wait()
		second.phase("web", services.Running)
		second.phase("idle", services.Stopped)
		second.phase("done", services.Exited)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		second.phase("stubborn", services.Running)
		if len(host.both) > 0 {
			t.Errorf("two at once: %v", host.both)
		}
	})
}

func TestAnEndThatIsDoneLeavesEverythingDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		h := open(t, host, nil, true, server("db"), server("api", needs("db")), server("done"))
		defer h.close()
		synctest.Wait()
		host.crash("done", 0)
		synctest.Wait()
		if err := h.StopAll(t.Context(), services.Stop); err != nil {
			t.Fatal(err)
		}
		if got := host.signalled(); got != "api db" {
			t.Errorf("stopped in the order %s", got)
		}
		h.phase("db", services.Stopped)
		h.phase("done", services.Exited)
	})
}

func TestADependencyThatIsOnItsWayDownIsStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		host.deaf["db"] = true
		h := open(t, host, nil, true, server("db"), server("api", needs("db"), off))
		defer h.close()
		synctest.Wait()
		h.order(services.Stop, "db")
		h.order(services.Start, "api")
		synctest.Wait()
		h.phase("api", services.Waiting)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		h.phase("db", services.Running)
		h.phase("api", services.Running)
	})
}

func TestWhatAServerNeedsStartsWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		config := []services.Server{server("api", needs("db")), server("db", needs("disk"), off), server("disk", off), server("other", off)}
		h := open(t, host, nil, true, config...)
		synctest.Wait()
		for name, want := range map[string]services.Phase{"api": services.Running, "db": services.Running, "disk": services.Running, "other": services.Stopped} {
			h.phase(name, want)
		}
		h.order(services.Stop, "db")
		synctest.Wait()
		h.close()
		again := open(t, host, h.trades.all(), false, config...)
		defer again.close()
		synctest.Wait()
		again.phase("db", services.Stopped) // somebody has said so
	})
}

func TestAServerWhosePortIsTakenIsNotSpawnedUntilItIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		host.holders[8080] = services.Holder{Identity: services.Identity{PID: 77, Start: 5}, Command: "python3 -m http.server"}
		h := open(t, host, nil, true, server("web", onPort(8080)), server("dep", needs("web")))
		defer h.close()
		synctest.Wait()
		s := h.get("web")
		if s.Phase != services.BackOff || !s.Orphaned || s.OrphanedPID != 77 || !strings.Contains(s.Why, "pid 77 (python3 -m http.server)") {
			t.Errorf("%+v", s)
		}
		h.phase("dep", services.Waiting)
		if len(host.started) > 0 {
			t.Errorf("%v was started", host.started)
		}
		host.mu.Lock()
		delete(host.holders, 8080)
		host.mu.Unlock()
		time.Sleep(time.Second)
		synctest.Wait()
		h.phase("web", services.Running)
	})
}

func TestAServerOfOursThatHoldsThePortIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		h := open(t, host, nil, true, server("a"), server("b", onPort(8080), off))
		defer h.close()
		synctest.Wait()
		pid := int(h.get("a").PID)
		host.mu.Lock()
		host.holders[8080] = services.Holder{Identity: services.Identity{PID: pid, Start: 1}, Command: "/bin/a"}
		host.mu.Unlock()
		_, err := h.Do(t.Context(), services.Order{Action: services.Start, Servers: []string{"b"}})
		if services.KindOf(err) != services.Conflict || !strings.Contains(err.Error(), "server a") || strings.Contains(err.Error(), "--orphan") {
			t.Errorf("%v", err)
		}
	})
}

func TestTakingOverIsAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		first := open(t, host, nil, true, server("a"), server("b", off))
		synctest.Wait()
		first.close()
		second := open(t, host, first.trades.all(), false, server("a"), server("b", off))
		defer second.close()
		synctest.Wait()
		var got []string
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for e, err := range second.Watch(ctx, 0) {
			if err != nil || e.Kind == services.EventReset {
				continue
			}
			got = append(got, string(e.Kind)+" "+e.Server)
			cancel()
		}
		if len(got) == 0 || got[0] != "adopted a" {
			t.Errorf("the events are %v", got)
		}
	})
}

func TestAnOrphanIsNotAnonymous(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		first := open(t, host, nil, true, server("old"))
		synctest.Wait()
		first.close()
		second := open(t, host, first.trades.all(), false)
		defer second.close()
		synctest.Wait()
		if s := second.get("old"); s.Command != "command of 101" || s.OrphanCommand != s.Command {
			t.Errorf("its command is %q, %q", s.Command, s.OrphanCommand)
		}
	})
}

func TestAnEndForLackOfMemoryIsToldAsSuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("hungry"))
		defer h.close()
		synctest.Wait()
		h.host.mu.Lock()
		for _, p := range h.host.live {
			p.end(services.Exit{Code: -1, Signal: syscall.SIGKILL, At: time.Now(), Seen: true})
		}
		h.host.mu.Unlock()
		synctest.Wait()
		if s := h.get("hungry"); s.Exit == nil || !s.Exit.OOM || !strings.Contains(s.Why, "killed by SIGKILL: out of memory") {
			t.Errorf("exit %+v: %s", s.Exit, s.Why)
		}
	})
}

func TestWhatARunBeforeHasUsedIsNotShownAsThePresentOnes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("web"))
		defer h.close()
		synctest.Wait()
		h.usage = &services.Sample{At: services.Time{Time: h.get("web").StartedAt.Add(-time.Second)}}
		if s := h.get("web"); s.Usage != nil || s.Memory != nil {
			t.Errorf("it shows %+v", s.Usage)
		}
		h.usage = &services.Sample{At: services.Time{Time: h.get("web").StartedAt.Add(time.Second)}, CPU: 3, Memory: 4096}
		if s := h.get("web"); s.Usage == nil || *s.Memory != 4096 || *s.CPU != 3 {
			t.Errorf("it shows %+v", s.Usage)
		}
	})
}

func TestAVerdictThatComesBeforeTheOrchestratorRunsIsTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		first := open(t, host, nil, true, server("web", live(services.ProbeRestart)))
		synctest.Wait()
		run := first.get("web").Run
		first.close()
		early, err := New(Options{
			Servers: []services.Server{server("web", live(services.ProbeRestart))}, Digest: func(services.Server) string { return "" }, Times: everyTenth,
			Records: first.trades.all(), Boot: "boot", Trades: first.Orchestrator.trades,
		})
		if err != nil {
			t.Fatal(err)
		}
		told := make(chan struct{})
		go func() { // as a prober that was quicker
			defer close(told)
			early.Verdict(monitor.Verdict{Server: "web", Run: run, From: monitor.FromLive, Passed: true, News: true, At: time.Now()})
		}()
		synctest.Wait()
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			early.Run(ctx) //nolint:errcheck // it has none
		}()
		<-told
		synctest.Wait()
		if s, err := early.Get(ctx, "web"); err != nil || s.Healthy == nil || !*s.Healthy {
			t.Errorf("%v, %+v", err, s)
		}
		end()
		<-ended
	})
}
