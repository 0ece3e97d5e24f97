package model_test

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tend/services"
	"tend/views/canned"
	"tend/views/model"
)

func ptr[T any](v T) *T { return &v }

var now = time.Date(2026, 11, 23, 15, 4, 5, 0, time.Local)

var frame = model.Frame{Now: now, Host: "127.0.0.1"}

func TestADurationHasTwoUnitsAtTheMost(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{
		{-time.Hour, "0s"}, {0, "0s"}, {999 * time.Millisecond, "0s"}, {time.Second, "1s"}, {59 * time.Second, "59s"},
		{time.Minute, "1m 00s"}, {61 * time.Second, "1m 01s"}, {59*time.Minute + 59*time.Second, "59m 59s"},
		{time.Hour, "1h 00m"}, {23*time.Hour + 59*time.Minute, "23h 59m"},
		{24 * time.Hour, "1d 00h"}, {99*24*time.Hour + 23*time.Hour, "99d 23h"}, {100 * 24 * time.Hour, "100d"}, {4000 * 24 * time.Hour, "4000d"},
	} {
		if got := model.Span(tt.d); got != tt.want {
			t.Errorf("%v is shown as %q, want %q", tt.d, got, tt.want)
		}
	}
}

func TestAMomentNamesItsDayWhereThatIsNotToday(t *testing.T) {
	for _, tt := range []struct {
		ago         time.Duration
		clock, span string
	}{
		{5 * time.Second, "15:04:00", "5s"},
		{15 * time.Hour, "00:04:05", "15h 00m"},
		{16 * time.Hour, "22 Nov 23:04", "16h 00m"},
		{365 * 24 * time.Hour, "23 Nov 15:04", "365d"},
	} {
		m := model.Since(now.Add(-tt.ago), now)
		if m.Clock != tt.clock || m.Span != tt.span || m.Count != "up" || !m.Set {
			t.Errorf("%v ago is %+v, want %s and %s", tt.ago, m, tt.clock, tt.span)
		}
	}
	if m := model.Until(now.Add(90*time.Second), now); m.Span != "1m 30s" || m.Count != "down" {
		t.Errorf("what is to come is %+v", m)
	}
	if m := model.Since(time.Time{}, now); m.Set || m.Span != "" {
		t.Errorf("no time at all is %+v", m)
	}
	at := time.Date(2026, 11, 23, 14, 4, 5, 6e6, time.UTC)
	if m := model.Since(at, now); m.Machine != "2026-11-23T14:04:05.006Z" {
		t.Errorf("the machine reads %s", m.Machine)
	}
}

func TestEveryPhaseHasAWordAShapeAndATone(t *testing.T) {
	want := map[services.Phase]model.Sign{
		services.Stopped: {Word: "stopped", Shape: "stopped", Tone: model.Quiet}, services.Waiting: {Word: "waiting", Shape: "waiting", Tone: model.Busy},
		services.Starting: {Word: "starting", Shape: "starting", Tone: model.Busy}, services.Running: {Word: "running", Shape: "running", Tone: model.Good},
		services.Stopping: {Word: "stopping", Shape: "stopping", Tone: model.Busy}, services.BackOff: {Word: "backoff", Shape: "backoff", Tone: model.Warn},
		services.Failed: {Word: "failed", Shape: "failed", Tone: model.Bad}, services.Exited: {Word: "exited", Shape: "exited", Tone: model.Quiet},
	}
	shapes := make(map[string]bool)
	for _, phase := range services.Phases {
		got := model.StateOf(&services.Status{Phase: phase, Exit: &services.Exit{}})
		if got != want[phase] {
			t.Errorf("%s is %+v, want %+v", phase, got, want[phase])
		}
		if shapes[got.Shape] {
			t.Errorf("%s has the shape of another phase", phase)
		}
		shapes[got.Shape] = true
	}
	for want, s := range map[string]services.Status{
		"scheduled": {Phase: services.Exited, Type: services.Task, Schedule: "@daily"},
		"completed": {Phase: services.Exited, Type: services.Task, Exit: &services.Exit{Seen: true}},
	} {
		if got := model.StateOf(&s); got.Word != want {
			t.Errorf("%+v is %+v, want %s", s, got, want)
		}
	}
	ill := model.StateOf(&services.Status{Phase: services.Running, Healthy: ptr(false)})
	if ill != (model.Sign{Word: "running", Shape: "unwell", Tone: model.Warn}) {
		t.Errorf("an unhealthy server is %+v", ill)
	}
	for _, kind := range []services.OrphanKind{services.Foreign, services.Unconfigured} {
		for _, phase := range services.Phases {
			if got := model.StateOf(&services.Status{Phase: phase, Orphaned: true, OrphanKind: &kind}); got.Word != "orphaned" {
				t.Errorf("a %s orphan that is %s is shown as %s", kind, phase, got.Word)
			}
		}
	}
	if got := model.StateOf(&services.Status{Phase: "new"}); got.Word != "new" {
		t.Errorf("a phase that nobody knows is shown as %q", got.Word)
	}
}

func TestHealthSaysWhatWasCheckedAndNothingElse(t *testing.T) {
	for _, tt := range []struct {
		phase   services.Phase
		healthy *bool
		want    string
	}{
		{services.Running, ptr(true), "healthy"}, {services.Running, ptr(false), "unhealthy"}, {services.Running, nil, "checking"},
		{services.Stopped, nil, ""}, {services.BackOff, nil, ""}, {services.Starting, nil, ""}, {services.Stopping, ptr(true), "healthy"},
	} {
		if got := model.HealthOf(&services.Status{Phase: tt.phase, Healthy: tt.healthy}); got.Word != tt.want {
			t.Errorf("%s, healthy %v, is shown as %q, want %q", tt.phase, tt.healthy, got.Word, tt.want)
		}
	}
}

func TestWhyDoesNotRepeatTheState(t *testing.T) {
	for _, tt := range []struct {
		phase     services.Phase
		why, want string
	}{
		{services.Running, "running", ""}, {services.Starting, "starting", ""},
		{services.Running, "running, taken over from an earlier manager", "taken over from an earlier manager"},
		{services.Running, "running; its port has not been checked yet", "its port has not been checked yet"},
		{services.BackOff, "exited with code 1; next attempt at 12:00:00", "exited with code 1; next attempt at 12:00:00"},
		{services.Stopped, "not started", "not started"}, {services.Failed, "", ""},
	} {
		if got := model.WhyOf(&services.Status{Phase: tt.phase, Why: tt.why}); got != tt.want {
			t.Errorf("%q is shown as %q, want %q", tt.why, got, tt.want)
		}
	}
	foreign := services.Status{Phase: services.Stopped, Orphaned: true, OrphanKind: ptr(services.Foreign), Why: "not started; port 80 is held by pid 7 (x)"}
	if got := model.WhyOf(&foreign); got != "not started" {
		t.Errorf("beside the holder of its port it says %q", got)
	}
}

func TestOnlyActionsThatMakeSenseAreEnabled(t *testing.T) {
	for _, tt := range []struct {
		phase  services.Phase
		want   services.Want
		orphan services.OrphanKind
		can    string // of start, stop, restart, kill
	}{
		{services.Stopped, services.Down, "", "start"},
		{services.Waiting, services.Up, "", "stop"},
		{services.Starting, services.Up, "", "stop restart kill"},
		{services.Running, services.Up, "", "stop restart kill"},
		{services.Stopping, services.Down, "", "start kill"},
		{services.Stopping, services.Up, "", "stop kill"},
		{services.BackOff, services.Up, "", "start stop"},
		{services.Failed, services.Up, "", "start"},
		{services.Exited, services.Up, "", "start"},
		{services.Stopped, services.Down, services.Foreign, ""},
		{services.BackOff, services.Up, services.Foreign, "stop"},
		{services.Failed, services.Up, services.Foreign, ""},
		{services.Running, services.Up, services.Unconfigured, "stop kill"},
		{services.Stopping, services.Down, services.Unconfigured, "stop kill"},
	} {
		s := services.Status{Name: "api", Phase: tt.phase, Want: tt.want, Port: 80}
		if tt.orphan != "" {
			s.Orphaned, s.OrphanKind = true, &tt.orphan
		}
		m := model.ServerOf(&s, frame)
		var can []string
		for _, a := range []model.Action{m.Start, m.Stop, m.Restart, m.Kill} {
			if a.Enabled {
				can = append(can, string(a.Name))
			}
			if a.Hint == "" || a.Label == "" {
				t.Errorf("%s of a server that is %s says nothing", a.Name, tt.phase)
			}
		}
		if got := strings.Join(can, " "); got != tt.can {
			t.Errorf("%s, wanted %s, orphan %q: it can %q, want %q", tt.phase, tt.want, tt.orphan, got, tt.can)
		}
	}
	for _, phase := range services.Phases { // none is forgotten above
		s := services.Status{Name: "api", Phase: phase, Want: services.Up}
		if m := model.ServerOf(&s, frame); m.Start.Name != services.Start || m.Kill.Name != services.Kill {
			t.Errorf("the actions of %s are %+v", phase, m)
		}
	}
}

func TestAServerSaysEverythingThatIsKnownAndNothingThatIsNot(t *testing.T) {
	s := services.Status{
		ID: "api", Name: "api", Description: "d", Group: "g", Command: "./api", DependsOn: []string{"db"}, Phase: services.Running, Want: services.Up,
		Run: "r", PID: 7, Port: 8080, StartedAt: services.Time{Time: now.Add(-90 * time.Second)}, LastCheck: services.Time{Time: now}, Restarts: 3, Rev: 12,
		Exit: &services.Exit{Code: -1, Signal: syscall.SIGSEGV, Core: true, At: now.Add(-90 * time.Second), Seen: true}, Adopted: true, Drift: true, Tracking: ptr(services.TrackMark),
	}
	m := model.ServerOf(&s, model.Frame{Now: now, Host: "::1"})
	for _, pair := range [][2]string{
		{m.ID, "api"}, {m.Name, "api"}, {m.Description, "d"}, {m.Group, "g"}, {m.Rev, "12"}, {m.PID, "7"}, {m.Port, "8080"}, {m.URL, "http://[::1]:8080"},
		{m.Started.Span, "1m 30s"}, {m.Restarts, "3"}, {m.Exit, "SIGSEGV, core"}, {m.ExitReason, "killed by SIGSEGV (core dumped)"}, {string(m.ExitTone), "bad"},
		{m.Want, "up"}, {m.Command, "./api"}, {m.Run, "r"}, {strings.Join(m.Needs, " "), "db"}, {fmt.Sprint(m.Adopted, m.Drift, m.Unconfigured, m.Foreign), "true true false <nil>"},
	} {
		if pair[0] != pair[1] {
			t.Errorf("it says %q, want %q", pair[0], pair[1])
		}
	}
	if !strings.HasPrefix(m.Tracking, "mark") {
		t.Errorf("tracking is %q", m.Tracking)
	}
	m = model.ServerOf(&services.Status{ID: "x", Name: "x", Phase: services.Stopped}, frame)
	for _, text := range []string{m.PID, m.Port, m.URL, m.Restarts, m.Exit, m.ExitReason, m.Started.Span, m.Next.Span, m.Health.Word, m.Tracking, m.Why} {
		if text != "" {
			t.Errorf("of a server about which nothing is known it says %q", text)
		}
	}
}

func TestTheLastExitIsShort(t *testing.T) {
	for _, tt := range []struct {
		exit services.Exit
		text string
		tone model.Tone
	}{
		{services.Exit{Code: 0, Seen: true}, "code 0", model.Quiet}, {services.Exit{Code: 3, Seen: true}, "code 3", model.Warn},
		{services.Exit{Code: -1, Signal: syscall.SIGTERM, Seen: true}, "SIGTERM", model.Quiet}, {services.UnknownExit(now), "unseen", model.Quiet},
	} {
		m := model.ServerOf(&services.Status{Exit: &tt.exit}, frame)
		if m.Exit != tt.text || m.ExitTone != tt.tone {
			t.Errorf("%s is shown as %q in %s, want %q in %s", tt.exit.Reason(), m.Exit, m.ExitTone, tt.text, tt.tone)
		}
	}
}

func TestAForeignHolderIsNamed(t *testing.T) {
	s := services.Status{Name: "web", Port: 80, Phase: services.Stopped, Orphaned: true, OrphanKind: ptr(services.Foreign), OrphanedPID: 9, OrphanCommand: "nginx"}
	if m := model.ServerOf(&s, frame); m.Foreign == nil || *m.Foreign != (model.Holder{PID: "9", Command: "nginx", Port: "80"}) {
		t.Errorf("the holder is %+v", m.Foreign)
	}
	s.OrphanCommand = ""
	if m := model.ServerOf(&s, frame); m.Foreign.Command == "" {
		t.Error("a holder whose command line cannot be read is not named at all")
	}
}

func refs(list []services.Status) (out []*services.Status) {
	for i := range list {
		out = append(out, &list[i])
	}
	return out
}

func TestTheOverviewGroupsServersAndCountsThem(t *testing.T) {
	o := model.OverviewOf(refs(canned.Servers(now)), model.Find{}, 7, frame)
	var got []string
	for _, g := range o.Groups {
		var names []string
		for s := range g.Servers() {
			names = append(names, s.Name)
		}
		got = append(got, g.ID+" "+g.Title+": "+strings.Join(names, " "))
	}
	want := []string{
		"group-0 data: postgres redis", "group-1 backend: api mailer worker search", "group-2 front: web preview docs", "group-3 jobs: migrate report",
		"group-left No longer in the configuration: old-proxy",
	}
	if !slices.Equal(got, want) {
		t.Errorf("the groups are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	var parts []string
	for _, p := range o.Summary.Parts {
		parts = append(parts, p.N+" "+p.Word)
	}
	if got := o.Summary.Total + ": " + strings.Join(parts, ", "); got != "12: 1 failed, 1 in backoff, 1 unhealthy, 2 orphaned, 2 running, 1 starting, 1 waiting, 1 stopping, 1 exited, 1 stopped" {
		t.Errorf("the summary is %q", got)
	}
	if o.Rev != "7" || o.Summary.Rev != "7" || o.Summary.Title != "(5) tend" {
		t.Errorf("revisions %s and %s, title %s", o.Rev, o.Summary.Rev, o.Summary.Title)
	}
	if !model.OverviewOf(nil, model.Find{}, 0, frame).Empty() || o.Empty() {
		t.Error("only an overview without servers is empty")
	}
}

func TestCountingUpAndDownAgainEndsAtNothing(t *testing.T) {
	list := refs(canned.Servers(now))
	var c model.Count
	for _, s := range list {
		c.Add(s)
	}
	for _, s := range list {
		c.Remove(s)
	}
	if got := c.Summary(1, ""); got.Total != "0" || slices.ContainsFunc(got.Parts, func(p model.Part) bool { return !p.None }) || got.Title != "tend" {
		t.Errorf("the summary of nothing is %+v", got)
	}
	c.Add(list[0])
	if got := c.Summary(1, "backoff"); got.Total != "1" || len(got.Parts) != 6 || !got.Parts[1].Chosen {
		t.Errorf("the summary of one is %+v", got)
	}
}
