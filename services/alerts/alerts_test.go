package alerts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"tend/services"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// desk is alerts over a webhook that exists only here.
type desk struct {
	*Alerts
	t   *testing.T
	log bytes.Buffer

	mu      sync.Mutex // guards what follows
	got     []Message
	answer  func(n int) (status int, header http.Header)
	hang    bool
	asked   int
	reports []services.Event
}

func (d *desk) RoundTrip(r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	d.asked++
	n, hang := d.asked, d.hang
	d.mu.Unlock()
	if hang {
		<-r.Context().Done()
		return nil, r.Context().Err()
	}
	status, header := http.StatusOK, http.Header{}
	if d.answer != nil {
		status, header = d.answer(n)
	}
	var m Message
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil || r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" {
		d.t.Errorf("%s %v: %v", r.Method, r.Header, err)
	}
	if status/100 == 2 {
		d.mu.Lock()
		d.got = append(d.got, m)
		d.mu.Unlock()
	}
	return &http.Response{StatusCode: status, Header: header, Body: http.NoBody, Request: r}, nil
}

const hook = "https://user:canary1@hooks.example/canary2?key=canary3"

func rule(on ...services.AlertOn) services.AlertRule {
	return services.AlertRule{On: on, Webhook: hook, Every: 10 * time.Minute}
}

func newDesk(t *testing.T, rules ...services.AlertRule) *desk {
	d := &desk{t: t}
	d.Alerts = New(Options{
		Rules: rules, Host: "box", URL: "http://127.0.0.1:3030", Client: &http.Client{Transport: d},
		Report: func(e services.Event) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.reports = append(d.reports, e)
		},
		Log: slog.New(slog.NewTextHandler(&d.log, nil)),
	})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		<-done
		for _, part := range []string{d.log.String(), d.said()} {
			if strings.Contains(part, "canary") {
				t.Errorf("a secret got out: %s", part)
			}
		}
	})
	return d
}

func (d *desk) said() string {
	text, _ := json.Marshal(map[string]any{"reports": d.reports, "targets": d.Targets()})
	return string(text)
}

// told returns what was reported.
func (d *desk) told() (out []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.reports {
		out = append(out, e.Message)
	}
	return out
}

// times returns how often the webhook was asked.
func (d *desk) times() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

// sent returns what has arrived, a line for each message, and forgets it.
func (d *desk) sent() (out []string) {
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, m := range d.got {
		line := m.Status + ":"
		for _, a := range m.Alerts {
			line += " " + a.Server + " " + string(a.On)
			if a.Count > 1 {
				line += "×" + string(rune('0'+a.Count))
			}
		}
		out = append(out, line)
	}
	d.got = nil
	return out
}

func (d *desk) want(want ...string) {
	d.t.Helper()
	if got := d.sent(); strings.Join(got, "; ") != strings.Join(want, "; ") {
		d.t.Errorf("sent %q, want %q", got, want)
	}
}

func crash(server string) services.Event {
	return event(services.EventExited, server, services.Status{Phase: services.BackOff, Exit: &services.Exit{Code: 3, Seen: true}}, func(e *services.Event) { e.Crash = true })
}

func event(kind services.EventKind, server string, s services.Status, change ...func(*services.Event)) services.Event {
	e := services.Event{Kind: kind, Server: server, Message: server + ": something", At: services.Time{Time: time.Now()}, Status: &s}
	for _, c := range change {
		c(&e)
	}
	return e
}

func resolved(e *services.Event) { e.Resolve = true }

func TestWhatHappensTogetherIsToldTogetherAndWhatRepeatsIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, rule(services.OnCrash, services.OnGiveUp))
		d.Event(crash("web"))
		d.Event(event(services.EventExited, "job", services.Status{})) // a clean end
		d.Event(crash("db"))
		time.Sleep(3 * time.Second)
		d.want("firing: web crash db crash")
		for range 3 {
			d.Event(crash("web"))
			time.Sleep(time.Minute)
		}
		d.want()
		time.Sleep(10 * time.Minute)
		d.want("firing: web crash×3")
		d.Event(event(services.EventFailed, "web", services.Status{Phase: services.Failed}))
		time.Sleep(3 * time.Second)
		d.want("firing: web give_up")
	})
}

func TestARuleIsAboutItsServersAndOccasionsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rule(services.OnUnhealthy, services.OnThreshold, services.OnOrphan, services.OnDisk)
		r.Servers = []string{"web"}
		d := newDesk(t, r)
		ill := false
		for _, e := range []services.Event{
			crash("web"), event(services.EventHealth, "db", services.Status{Healthy: &ill}),
			event(services.EventHealth, "web", services.Status{}), // nobody knows
			event(services.EventHealth, "web", services.Status{Healthy: &ill}), event(services.EventThreshold, "web", services.Status{}),
			event(services.EventOrphan, "web", services.Status{}), event(services.EventAlert, "", services.Status{}),
		} {
			d.Event(e)
		}
		time.Sleep(3 * time.Second)
		d.want("firing: web unhealthy web threshold web orphan")
	})
}

func TestOnlyWhatWasToldIsResolved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, rule(services.OnCrash, services.OnUnhealthy, services.OnRecovered))
		ill, well := false, true
		d.Event(event(services.EventHealth, "db", services.Status{Phase: services.Running, Healthy: &well}, resolved)) // was never told
		d.Event(event(services.EventHealth, "web", services.Status{Phase: services.Running, Healthy: &ill}))
		time.Sleep(3 * time.Second)
		d.want("firing: web unhealthy")
		d.Event(event(services.EventHealth, "web", services.Status{Phase: services.Running, Healthy: &well}, resolved))
		time.Sleep(3 * time.Second)
		d.want("resolved: web recovered")
		d.Event(crash("web"))
		d.Event(event(services.EventStarted, "web", services.Status{Phase: services.Running}))
		time.Sleep(50 * time.Second)
		d.want("firing: web crash")
		d.Event(crash("web"))
		d.Event(event(services.EventStarted, "web", services.Status{Phase: services.Running}))
		time.Sleep(50 * time.Second)
		d.want() // it has not run for a minute yet
		time.Sleep(15 * time.Second)
		d.want("resolved: web recovered")
	})
}

func TestATargetThatFailsIsTriedAgainAndGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(n int) (int, http.Header)
		asked  int
		sent   bool
	}{
		"busy, then well": {func(n int) (int, http.Header) { return map[bool]int{true: 503, false: 204}[n < 3], nil }, 3, true},
		"always broken":   {func(int) (int, http.Header) { return 500, nil }, 5, false},
		"not found":       {func(int) (int, http.Header) { return 404, nil }, 1, false},
		"moved":           {func(int) (int, http.Header) { return 302, http.Header{"Location": {"http://169.254.169.254/"}} }, 1, false},
		"too many": {func(n int) (int, http.Header) {
			return map[bool]int{true: 429, false: 200}[n < 2], http.Header{"Retry-After": {"7"}}
		}, 2, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t, rule(services.OnCrash))
				d.Client().CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
				d.answer = c.answer
				d.Event(crash("web"))
				time.Sleep(5 * time.Minute)
				sent := len(d.sent()) == 1
				if asked, told := d.times(), d.told(); asked != c.asked || sent != c.sent || (len(told) == 0) != c.sent {
					t.Errorf("asked %d times, sent %v, reported %v", asked, sent, told)
				}
				if target := d.Targets()[0]; (target.Error == "") != c.sent || target.Sent.IsZero() == c.sent || target.Target != "https://hooks.example" {
					t.Errorf("%+v", target)
				}
			})
		})
	}
}

// Client is the client that the rules use.
func (d *desk) Client() *http.Client { return d.o.Client }

func TestATargetThatHangsDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, rule(services.OnCrash))
		d.mu.Lock()
		d.hang = true
		d.mu.Unlock()
		d.Event(crash("web"))
		time.Sleep(3 * time.Second)
		for range 10_000 {
			d.Event(crash("web")) // never blocks
		}
		time.Sleep(5 * time.Minute)
		if got := d.told(); len(got) != 1 || !strings.Contains(got[0], "could not be delivered to https://hooks.example") {
			t.Errorf("reported %v", got)
		}
		d.mu.Lock()
		d.hang = false
		d.mu.Unlock()
		d.Event(crash("db"))
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if d.mu.Lock(); len(d.got) == 0 || d.got[0].Dropped == 0 {
			t.Errorf("got %+v, want to be told that something was dropped", d.got)
		}
		d.mu.Unlock()
	})
}

func TestNothingIsSentInQuietHoursAndAllAtTheirEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // it is midnight, UTC
		r := rule(services.OnCrash)
		now := time.Now()
		midnight := time.Date(now.Local().Year(), now.Local().Month(), now.Local().Day(), 0, 0, 0, 0, time.Local)
		since := now.Sub(midnight)
		r.Quiet = services.QuietHours{From: (since + 23*time.Hour) % (24 * time.Hour), To: (since + 2*time.Hour) % (24 * time.Hour)}
		d := newDesk(t, r)
		d.Event(crash("web"))
		time.Sleep(time.Hour)
		d.Event(crash("db"))
		time.Sleep(30 * time.Minute)
		d.want()
		time.Sleep(31 * time.Minute)
		d.want("firing: web crash db crash")
	})
}

func TestATroubleThatComesAgainAndAgainInQuietHoursIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rule(services.OnCrash)
		now := time.Now().Local()
		since := time.Duration(now.Hour())*time.Hour + time.Duration(now.Minute())*time.Minute
		r.Quiet = services.QuietHours{From: (since + 23*time.Hour) % (24 * time.Hour), To: (since + 2*time.Hour) % (24 * time.Hour)}
		d := newDesk(t, r)
		first := time.Now()
		for range 90 {
			d.Event(crash("web"))
			time.Sleep(time.Minute)
		}
		time.Sleep(31 * time.Minute)
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(d.got) != 1 || len(d.got[0].Alerts) != 1 || d.got[0].Alerts[0].Count != 90 || !d.got[0].Alerts[0].Since.Equal(first) {
			t.Errorf("told %+v", d.got)
		}
	})
}

func TestATextHasOnlySoManyLinesAndSaysHowMuchMoreThereIs(t *testing.T) {
	m := Message{Status: "firing", Host: "box"}
	for i := range mostLines + 5 {
		m.Alerts = append(m.Alerts, Alert{On: services.OnCrash, Server: fmt.Sprint("s", i), Message: "it crashed", Count: 1})
	}
	text := m.Text()
	if n := strings.Count(text, "it crashed"); n != mostLines || !strings.HasSuffix(text, "\nand 5 more") {
		t.Errorf("%d lines: %s", n, text)
	}
}

func TestWhatTakesTooLongAndWhereIsSaidWithoutJargon(t *testing.T) {
	quiet := &http.Client{Transport: hangs{}}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	if err := post(ctx, quiet, hook, Message{}); !errors.Is(err, errTime) {
		t.Errorf("said %v", err)
	}
	for address, want := range map[string]string{
		"http://127.0.0.1:8080/canary": "http://127.0.0.1:8080", "https://hooks.example/canary": "https://hooks.example",
		"http://[::1]:80/canary": "http://[::1]:80", "slack://hook:canary@webhook": "slack://webhook",
	} {
		if got := Shown(address); got != want {
			t.Errorf("%s is shown as %s, want %s", address, got, want)
		}
	}
}

type hangs struct{}

func (hangs) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestQuietHoursFollowTheClockOnTheWall(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	local := time.Local
	time.Local = paris
	defer func() { time.Local = local }()
	night := services.QuietHours{From: 22 * time.Hour, To: 7 * time.Hour}
	noon := services.QuietHours{From: 12 * time.Hour, To: 13*time.Hour + 30*time.Minute}
	at := func(month time.Month, day, hour, minute int) time.Time {
		return time.Date(2026, month, day, hour, minute, 0, 0, paris)
	}
	for _, c := range []struct {
		q    services.QuietHours
		now  time.Time
		want time.Time
	}{
		{services.QuietHours{}, at(1, 1, 0, 0), time.Time{}},
		{night, at(1, 1, 21, 59), time.Time{}}, {night, at(1, 1, 22, 0), at(1, 2, 7, 0)}, {night, at(1, 2, 6, 59), at(1, 2, 7, 0)}, {night, at(1, 2, 7, 0), time.Time{}},
		{noon, at(1, 1, 12, 0), at(1, 1, 13, 30)}, {noon, at(1, 1, 13, 30), time.Time{}},
		{night, at(3, 28, 23, 0), at(3, 29, 7, 0)}, // an hour is missing in this night
		{night, at(10, 24, 23, 0), at(10, 25, 7, 0)},
	} {
		if got := quietUntil(c.q, c.now); !got.Equal(c.want) {
			t.Errorf("%+v at %v: until %v, want %v", c.q, c.now, got, c.want)
		}
	}
}

func TestRulesChangeWithoutForgettingWhatStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kept, gone := rule(services.OnCrash), rule(services.OnGiveUp)
		d := newDesk(t, kept, gone)
		d.Event(crash("web"))
		time.Sleep(3 * time.Second)
		d.want("firing: web crash")
		d.SetRules([]services.AlertRule{rule(services.OnOrphan), kept})
		d.Event(crash("web")) // told a moment ago
		d.Event(event(services.EventFailed, "web", services.Status{}))
		d.Event(event(services.EventOrphan, "web", services.Status{}))
		time.Sleep(3 * time.Second)
		d.want("firing: web orphan")
		if n := len(d.Targets()); n != 2 {
			t.Errorf("%d targets", n)
		}
	})
}

func TestATestReachesEveryTargetAndSaysHowItWent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, rule(services.OnCrash), services.AlertRule{Notify: "telegram://canary@telegram?chats="})
		got := d.Test(t.Context())
		if len(got) != 2 || !got[0].OK || got[0].Target != "https://hooks.example" || got[1].OK || strings.Contains(got[1].Message+got[1].Target, "canary") {
			t.Errorf("%+v", got)
		}
		d.want("test:  ")
	})
}

func TestANotificationServiceIsReachedAndItsErrorsHoldNoSecret(t *testing.T) {
	var body string
	status := 200
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := new(bytes.Buffer)
		b.ReadFrom(r.Body)
		body = b.String()
		w.WriteHeader(status)
	}))
	defer srv.Close()
	defer http.DefaultClient.CloseIdleConnections()
	address := "generic+" + srv.URL + "/canary?title=canarytoken"
	m := Message{Status: "firing", Host: "box", Alerts: []Alert{{On: services.OnCrash, Server: "web", Message: "web: exited with code 3", Count: 2, At: services.Time{Time: time.Now()}}}}
	if err := notify(t.Context(), address, m); err != nil || !strings.Contains(body, "web: exited with code 3 (2 times since") || !strings.Contains(body, "tend on box: web crashed") {
		t.Errorf("%v, sent %q", err, body)
	}
	status = 500
	if err := notify(t.Context(), address, m); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("refused: %v", err)
	}
	for _, wrong := range []string{"nonsense://canary", "discord://canary", "slack://canary/x"} {
		if err := CheckNotify(wrong); err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func TestNoAlertGoesWhereSecretsOfMachinesAre(t *testing.T) {
	for address, ok := range map[string]bool{
		"127.0.0.1:80": true, "10.1.2.3:443": true, "[::1]:80": true, "93.184.216.34:443": true,
		"169.254.169.254:80": false, "169.254.1.1:80": false, "[fe80::1%eth0]:80": false, "[::ffff:169.254.169.254]:80": false,
		"[fd00:ec2::254]:80": false, "100.100.100.200:80": false, "224.0.0.1:80": false, "0.0.0.0:80": false, "[::]:80": false, "nonsense": false,
	} {
		if err := Guard("tcp", address, nil); (err == nil) != ok {
			t.Errorf("%s: %v", address, err)
		}
	}
	client := NewClient()
	err := post(t.Context(), client, "http://169.254.169.254/canary", Message{})
	if final, _ := verdict(err); !final || !errors.Is(err, errForbidden) || strings.Contains(err.Error(), "canary") {
		t.Errorf("%v, final %v", err, final)
	}
}
