package orchestrator

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
	"tend/services/monitor"
)

func ready(change ...func(*services.Probe)) func(*services.Server) {
	return func(s *services.Server) {
		s.Ready = &services.Probe{TCP: "127.0.0.1:1", Successes: 1, Failures: 1, Interval: time.Second}
		for _, c := range change {
			c(s.Ready)
		}
	}
}

func live(action services.ProbeAction) func(*services.Server) {
	return func(s *services.Server) {
		s.Live = &services.Probe{TCP: "127.0.0.1:1", Successes: 1, Failures: 1, Interval: time.Second, Action: action}
	}
}

func (h *house) says(server string, from monitor.Source, passed bool, why string) {
	h.Verdict(monitor.Verdict{Server: server, Run: h.get(server).Run, From: from, Passed: passed, Why: why, At: time.Now(), News: true})
	synctest.Wait()
}

func TestARunIsRunningOnceItsReadyCheckHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("db", ready()), server("api", needs("db")))
		defer h.close()
		synctest.Wait()
		h.phase("db", services.Starting)
		h.phase("api", services.Waiting)
		if w, ok := h.checker.of("db"); !ok || w.Run != h.get("db").Run || w.Ready {
			t.Errorf("checks %+v", w)
		}
		h.says("db", monitor.FromReady, false, "connection refused")
		if s := h.get("db"); s.Why != "starting: not ready yet (connection refused)" || s.Healthy != nil {
			t.Error(s.Why, s.Healthy)
		}
		h.says("db", monitor.FromReady, true, "")
		h.phase("db", services.Running)
		if s := h.get("db"); s.Healthy == nil || !*s.Healthy {
			t.Error("it is ready, and not well")
		}
		h.phase("api", services.Running)
	})
}

func TestARunThatIsNotReadyInTimeHasFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("db", ready(func(p *services.Probe) { p.Deadline = 5 * time.Second }), func(s *services.Server) { s.Backoff.GiveUp = 1 }))
		defer h.close()
		synctest.Wait()
		h.says("db", monitor.FromReady, false, "connection refused")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		s := h.get("db")
		if s.Phase != services.BackOff || !strings.HasPrefix(s.Why, "it was not ready within 5s (connection refused); killed by SIGTERM") {
			t.Errorf("%s: %s", s.Phase, s.Why)
		}
		time.Sleep(6 * time.Second)
		synctest.Wait()
		if s := h.get("db"); s.Phase != services.Failed || h.starts("db") != 2 {
			t.Errorf("%s after %d starts: %s", s.Phase, h.starts("db"), s.Why)
		}
	})
}

func TestAFailedLiveCheckDoesWhatItsActionSays(t *testing.T) {
	for action, c := range map[services.ProbeAction]struct {
		phase services.Phase
		kind  services.EventKind
	}{
		services.ProbeRestart: {services.BackOff, services.EventHealth}, services.ProbeAlert: {services.Running, services.EventHealth}, services.ProbeNone: {services.Running, services.EventChanged},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := open(t, newFakeHost(), nil, true, server("db", live(action)))
			defer h.close()
			synctest.Wait()
			if s := h.get("db"); s.Healthy != nil || s.Why != "running; it has not been checked yet" {
				t.Errorf("healthy %v before the first check: %s", s.Healthy, s.Why)
			}
			h.says("db", monitor.FromLive, true, "")
			if s := h.get("db"); s.Healthy == nil || !*s.Healthy {
				t.Error("not healthy after a pass")
			}
			last := h.bus.Last()
			h.says("db", monitor.FromLive, false, "answered 500")
			if s := h.get("db"); s.Phase != c.phase || !strings.Contains(s.Why, "answered 500") {
				t.Errorf("%s: %s: %s", action, s.Phase, s.Why)
			}
			for e := range h.bus.Watch(t.Context(), last) {
				if e.Kind != c.kind || e.By != "" {
					t.Errorf("%s: told as %s by %q", action, e.Kind, e.By)
				}
				break
			}
			if action != services.ProbeRestart {
				h.says("db", monitor.FromLive, true, "")
				if s := h.get("db"); !*s.Healthy || s.Why != "running" {
					t.Errorf("%s: well again, but %s", action, s.Why)
				}
			}
		})
	}
}

func TestAServerIsWellWhenAllItsChecksSaySo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("db", onPort(5432), live(services.ProbeAlert)))
		defer h.close()
		synctest.Wait()
		h.says("db", monitor.FromLive, true, "")
		if s := h.get("db"); s.Healthy != nil {
			t.Error("healthy before its port was checked")
		}
		port := func(well bool) {
			h.Report(t.Context(), monitor.Result{Server: "db", Run: h.get("db").Run, At: time.Now(), Healthy: &well, Why: "nothing listens"})
			synctest.Wait()
		}
		port(true)
		if s := h.get("db"); s.Healthy == nil || !*s.Healthy {
			t.Error("not healthy")
		}
		h.says("db", monitor.FromSilence, false, "silent")
		port(false)
		port(true)
		if s := h.get("db"); *s.Healthy || s.Why != "runs, but silent" {
			t.Errorf("a port that answers hides a silence: %s", s.Why)
		}
	})
}

func TestANoticeMakesReadyAndTheWatchdogWantsMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("a", ready(func(p *services.Probe) { *p = services.Probe{Notify: true} }), func(s *services.Server) {
			s.Watchdog = services.Pulse{Every: 10 * time.Second, Action: services.ProbeRestart}
		}))
		defer h.close()
		synctest.Wait()
		time.Sleep(time.Minute) // it has no deadline, and the watchdog waits until it is ready
		synctest.Wait()
		h.phase("a", services.Starting)
		run, status := h.get("a").Run, "serving"
		h.Notice(Notice{Server: "a", Run: "another", Ready: true})
		synctest.Wait()
		h.phase("a", services.Starting)
		h.Notice(Notice{Server: "a", Run: run, Ready: true, Status: &status})
		synctest.Wait()
		if s := h.get("a"); s.Phase != services.Running || s.Notified != "serving" {
			t.Errorf("%s, says %q", s.Phase, s.Notified)
		}
		if w, _ := h.checker.of("a"); !w.Ready {
			t.Error("its life is not checked")
		}
		for range 3 {
			time.Sleep(9 * time.Second)
			h.Notice(Notice{Server: "a", Run: run, Watchdog: true})
			synctest.Wait()
		}
		h.phase("a", services.Running)
		time.Sleep(10*time.Second + dogGrace)
		synctest.Wait()
		if s := h.get("a"); s.Phase != services.BackOff || !strings.Contains(s.Why, "no sign of life (WATCHDOG=1) for 10s") {
			t.Errorf("%s: %s", s.Phase, s.Why)
		}
	})
}

// TestAPortThatAnswersBeforeTheServerSaysThatItIsReadyIsNotForgotten: with the
// notice all checks begin anew, but the port's, which had nothing new to say,
// was not told again, and health stayed unknown for ever.
func TestAPortThatAnswersBeforeTheServerSaysThatItIsReadyIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("a", onPort(5432), ready(func(p *services.Probe) { *p = services.Probe{Notify: true} })))
		defer h.close()
		synctest.Wait()
		well := true
		for range 2 { // before the notice, and at the next look
			h.Report(t.Context(), monitor.Result{Server: "a", Run: h.get("a").Run, At: time.Now(), Healthy: &well})
			h.Notice(Notice{Server: "a", Run: h.get("a").Run, Ready: true})
			synctest.Wait()
		}
		if s := h.get("a"); s.Phase != services.Running || s.Healthy == nil || !*s.Healthy {
			t.Errorf("%s, healthy %v: %s", s.Phase, s.Healthy, s.Why)
		}
	})
}

func TestAVerdictAboutAnEarlierRunIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("db", live(services.ProbeRestart)))
		defer h.close()
		synctest.Wait()
		old := h.get("db").Run
		h.order(services.Restart, "db")
		synctest.Wait()
		h.Verdict(monitor.Verdict{Server: "db", Run: old, From: monitor.FromLive, News: true, At: time.Now()})
		synctest.Wait()
		h.phase("db", services.Running)
		h.order(services.Stop, "db")
		synctest.Wait()
		if _, checked := h.checker.of("db"); checked {
			t.Error("what does not run is checked")
		}
	})
}

func TestAServerThatWasReadyIsTakenOverAsSuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		servers := []services.Server{server("ready", ready()), server("unready", ready())}
		h := open(t, host, nil, true, servers...)
		synctest.Wait()
		h.says("ready", monitor.FromReady, true, "")
		h.close()
		h = open(t, host, h.trades.all(), false, servers...)
		defer h.close()
		synctest.Wait()
		h.phase("ready", services.Running)
		h.phase("unready", services.Starting)
		for name, was := range map[string]bool{"ready": true, "unready": false} {
			if w, ok := h.checker.of(name); !ok || w.Ready != was {
				t.Errorf("%s: %+v", name, w)
			}
		}
	})
}

func TestALineOfReadyIsLookedForFromTheBeginningOfTheRunByTheNextManagerToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		byLog := ready(func(p *services.Probe) { p.TCP, p.Log = "", "up" })
		host := newFakeHost()
		servers := []services.Server{server("ready", byLog), server("unready", byLog)}
		h := open(t, host, nil, true, servers...)
		synctest.Wait()
		h.says("ready", monitor.FromReady, true, "")
		h.close()
		h = open(t, host, h.trades.all(), false, servers...)
		defer h.close()
		synctest.Wait()
		for name, after := range map[string]string{"ready": "", "unready": "3.14"} {
			if w, _ := h.checker.of(name); w.After != after {
				t.Errorf("%s is read from %q, want %q", name, w.After, after)
			}
		}
	})
}

func TestAServerThatMayHaveSaidThatItIsReadyWhileNobodyListenedIsTakenForReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		host := newFakeHost()
		notifies := server("a", ready(func(p *services.Probe) { *p = services.Probe{Notify: true, Deadline: 5 * time.Second} }))
		h := open(t, host, nil, true, notifies)
		synctest.Wait()
		h.phase("a", services.Starting)
		h.close()
		h = open(t, host, h.trades.all(), false, notifies)
		defer h.close()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		h.phase("a", services.Running)
		if n := h.starts("a"); n != 1 {
			t.Errorf("it was started %d times", n)
		}
	})
}

func TestASignOfLifeThatDoesNotComeDoesWhatItsOwnActionSays(t *testing.T) {
	for action, phase := range map[services.ProbeAction]services.Phase{
		services.ProbeRestart: services.BackOff, services.ProbeAlert: services.Running, services.ProbeNone: services.Running,
	} {
		synctest.Test(t, func(t *testing.T) {
			h := open(t, newFakeHost(), nil, true, server("a", live(services.ProbeRestart), func(s *services.Server) {
				s.Silence = services.Pulse{Every: time.Minute, Action: action}
			}))
			defer h.close()
			synctest.Wait()
			h.says("a", monitor.FromSilence, false, "it has written nothing for 1m0s")
			if s := h.get("a"); s.Phase != phase || !strings.Contains(s.Why, "it has written nothing for 1m0s") {
				t.Errorf("%s: %s, %s", action, s.Phase, s.Why)
			}
		})
	}
}

func TestAThresholdIsToldAndMayEndTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("a"))
		defer h.close()
		synctest.Wait()
		last := h.bus.Last()
		run := h.get("a").Run
		h.Find(Finding{Server: "a", Run: "earlier", Kind: services.EventThreshold, Text: "late", Restart: true})
		h.Find(Finding{Server: "a", Run: run, Kind: services.EventThreshold, Text: "memory is above 4 MB"})
		synctest.Wait()
		h.phase("a", services.Running)
		for e := range h.bus.Watch(t.Context(), last) {
			if e.Kind != services.EventThreshold || e.Message != "a: memory is above 4 MB" {
				t.Errorf("told %+v", e)
			}
			break
		}
		h.Find(Finding{Server: "a", Run: run, Kind: services.EventThreshold, Text: "memory is above 4 MB", Restart: true})
		synctest.Wait()
		if s := h.get("a"); s.Phase != services.BackOff || !strings.HasPrefix(s.Why, "memory is above 4 MB; killed by SIGTERM") {
			t.Errorf("%s: %s", s.Phase, s.Why)
		}
	})
}

// The monitor reports what it sees of a server without a port when something
// has changed, and else only that it has looked.
func TestServersWithoutAPortWereCheckedWhenTheMonitorLookedLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("plain"), server("port", onPort(5432)))
		defer h.close()
		synctest.Wait()
		well := true
		report := func() {
			for _, to := range h.Targets(nil) {
				h.Report(t.Context(), monitor.Result{Server: to.Server, Run: to.Run, At: time.Now(), Healthy: &well})
			}
			synctest.Wait()
		}
		report()
		seen := h.Changes()
		began := time.Now()
		time.Sleep(3 * time.Second)
		report()
		if now := h.Changes(); now != seen {
			t.Error("a report of what is known is a change")
		}
		time.Sleep(3 * time.Second)
		h.Looked(time.Now())
		if at := h.get("plain").LastCheck.Sub(began); at != 6*time.Second {
			t.Errorf("without a port it was checked after %v", at)
		}
		if at := h.get("port").LastCheck.Sub(began); at != 3*time.Second {
			t.Errorf("with a port it was checked after %v", at)
		}
		h.order(services.Restart, "plain")
		synctest.Wait()
		if h.Changes() == seen {
			t.Error("another run is no change")
		}
	})
}

func TestWhoSaysThatItIsReadyAndEndsIsReadyFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, newFakeHost(), nil, true, server("a", ready(func(p *services.Probe) { *p = services.Probe{Notify: true} })))
		defer h.close()
		synctest.Wait()
		h.Notice(Notice{Server: "a", Run: h.get("a").Run, Ready: true})
		h.phase("a", services.Running) // by now: whoever ends now is asked whether all was heard
		h.host.crash("a", 0)
		synctest.Wait()
		h.phase("a", services.Exited)
	})
}
