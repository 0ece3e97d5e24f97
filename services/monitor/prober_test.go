package monitor

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
)

// lab is a prober with everything around it.
type lab struct {
	*Prober
	mu       sync.Mutex // guards what follows
	verdicts []Verdict
	at       map[string]int // attempts under way, by server
	most     int
	tries    int
	exec     func(ctx context.Context, s services.Server) error
	lines    chan string
	output   time.Time
}

func newLab(t *testing.T) *lab {
	l := &lab{at: map[string]int{}, lines: make(chan string, 100)}
	l.Prober = NewProber(ProberOptions{
		Exec: func(ctx context.Context, s services.Server, _ []string) error {
			l.mu.Lock()
			l.tries++
			l.at[s.Name]++
			if l.at[s.Name] > 1 {
				t.Errorf("two attempts of %s at a time", s.Name)
			}
			all := 0
			for _, n := range l.at {
				all += n
			}
			l.most = max(l.most, all)
			l.mu.Unlock()
			defer func() {
				l.mu.Lock()
				l.at[s.Name]--
				l.mu.Unlock()
			}()
			return l.exec(ctx, s)
		},
		Lines: func(ctx context.Context, _, after string) iter.Seq[string] {
			if after != "1.7" {
				t.Errorf("reads from %q", after)
			}
			return func(yield func(string) bool) {
				for {
					select {
					case line := <-l.lines:
						if !yield(line) {
							return
						}
					case <-ctx.Done():
						return
					}
				}
			}
		},
		Output: func(string) time.Time {
			l.mu.Lock()
			defer l.mu.Unlock()
			return l.output
		},
		Report: func(v Verdict) {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.verdicts = append(l.verdicts, v)
		},
	})
	return l
}

// news returns the verdicts that were new, and forgets them.
func (l *lab) news() (out []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, v := range l.verdicts {
		if v.News {
			out = append(out, strings.TrimSpace(fmt.Sprintf("%s %v %s", v.From, v.Passed, v.Why)))
		}
	}
	l.verdicts = nil
	return out
}

func (l *lab) open(t *testing.T) (end func()) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	return func() {
		cancel()
		<-done
	}
}

func wantNews(t *testing.T, l *lab, want ...string) {
	t.Helper()
	synctest.Wait()
	if got := l.news(); strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("told %q, want %q", got, want)
	}
}

func probed(name string, ready, live *services.Probe) Watched {
	return Watched{Server: services.Server{Name: name, Ready: ready, Live: live}, Run: "run-" + name, StartedAt: time.Now(), After: "1.7"}
}

func TestAProbeTakesItsNumbersOfPassesAndFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		defer l.open(t)()
		var well atomic.Bool
		well.Store(true)
		l.exec = func(context.Context, services.Server) error {
			if well.Load() {
				return nil
			}
			return errors.New("bad")
		}
		l.Begin(probed("a", nil, &services.Probe{Exec: []string{"x"}, Interval: time.Second, Timeout: time.Second, Successes: 2, Failures: 3, Delay: 5 * time.Second}))
		time.Sleep(5 * time.Second)
		wantNews(t, l)
		time.Sleep(3 * time.Second)
		wantNews(t, l, "live true")
		well.Store(false)
		time.Sleep(2 * time.Second)
		wantNews(t, l)
		time.Sleep(2 * time.Second)
		wantNews(t, l, "live false bad")
		well.Store(true)
		time.Sleep(3 * time.Second)
		wantNews(t, l, "live true")
		l.End("a")
		synctest.Wait()
		before := l.tries
		time.Sleep(10 * time.Second)
		if l.tries != before {
			t.Error("it is probed after its end")
		}
	})
}

func TestTheLifeOfARunIsProbedOnceItIsReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		defer l.open(t)()
		l.exec = func(context.Context, services.Server) error { return nil }
		ready := &services.Probe{Log: "ready|up", Interval: time.Second, Timeout: time.Second, Successes: 1, Failures: 1}
		l.Begin(probed("a", ready, &services.Probe{Exec: []string{"x"}, Interval: time.Second, Timeout: time.Second, Successes: 1, Failures: 1}))
		l.lines <- "starting"
		time.Sleep(2500 * time.Millisecond)
		wantNews(t, l, "ready false no line matches ready|up in time")
		l.lines <- "now it is up"
		wantNews(t, l, "ready true")
		time.Sleep(time.Second)
		wantNews(t, l, "live true")
	})
}

func TestNobodyReadsTheLogOfAServerThatWasFoundReadyByIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		defer l.open(t)()
		l.Begin(probed("a", &services.Probe{Log: "up", Interval: time.Second, Timeout: time.Second, Successes: 1, Failures: 1}, nil))
		l.lines <- "up"
		wantNews(t, l, "ready true")
		l.lines <- "one line more"
		synctest.Wait()
		if len(l.lines) != 1 {
			t.Error("it is still read along")
		}
	})
}

func TestThoseThatWaitForALineKeepNobodyWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		defer l.open(t)()
		l.exec = func(context.Context, services.Server) error { return nil }
		for i := range 2 * connections {
			l.Begin(probed(fmt.Sprint("s", i), &services.Probe{Log: "never", Interval: time.Hour, Timeout: time.Hour, Successes: 1, Failures: 1}, nil))
		}
		synctest.Wait()
		l.Begin(probed("a", &services.Probe{Exec: []string{"x"}, Interval: time.Second, Timeout: time.Second, Successes: 1, Failures: 1}, nil))
		wantNews(t, l, "ready true")
	})
}

func TestAHungProbeTimesOutAndNeverPilesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		defer l.open(t)()
		l.exec = func(ctx context.Context, _ services.Server) error {
			<-ctx.Done()
			return ctx.Err()
		}
		l.Begin(probed("a", nil, &services.Probe{Exec: []string{"x"}, Interval: 100 * time.Millisecond, Timeout: 2 * time.Second, Successes: 1, Failures: 1}))
		time.Sleep(3 * time.Second)
		wantNews(t, l, "live false no answer within 2s")
		if l.tries > 2 {
			t.Errorf("%d attempts in three seconds", l.tries)
		}
	})
}

// TestAnAttemptThatTheManagerSleptThroughIsMadeAgain: it was a failure of the
// server, whose answer nobody had read.
func TestAnAttemptThatTheManagerSleptThroughIsMadeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		defer l.open(t)()
		var halted atomic.Bool // as with SIGSTOP: it goes on long after the timeout
		halted.Store(true)
		l.exec = func(ctx context.Context, _ services.Server) error {
			if halted.Load() {
				time.Sleep(time.Minute)
				return ctx.Err()
			}
			return nil
		}
		probe := &services.Probe{Exec: []string{"x"}, Interval: 100 * time.Millisecond, Timeout: 2 * time.Second, Successes: 1, Failures: 1}
		l.Begin(probed("a", nil, probe))
		time.Sleep(30 * time.Second)
		halted.Store(false)
		time.Sleep(time.Minute)
		wantNews(t, l, "live true")
		halted.Store(true)
		time.Sleep(3 * time.Minute)
		wantNews(t, l, "live false no answer within 2s") // a machine that is always so slow is no excuse
	})
}

func TestAClockThatIsSetMakesNoServerSilentAndNoDelayLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		defer l.open(t)()
		l.exec = func(context.Context, services.Server) error { return nil }
		w := probed("a", nil, &services.Probe{Exec: []string{"x"}, Interval: time.Second, Timeout: time.Second, Successes: 1, Failures: 1, Delay: 10 * time.Second})
		w.Server.Silence.Every = time.Minute
		w.StartedAt = time.Now().Add(1000 * time.Hour).Round(0) // written down before the clock was set back
		l.Begin(w)
		time.Sleep(12 * time.Second)
		wantNews(t, l, "live true")
		for _, off := range []time.Duration{-1000 * time.Hour, 1000 * time.Hour, -time.Hour, 0} {
			for range 4 {
				l.mu.Lock()
				l.output = time.Now().Add(off) // written just now, by another clock
				l.mu.Unlock()
				time.Sleep(50 * time.Second)
			}
			wantNews(t, l)
		}
		time.Sleep(time.Minute)
		wantNews(t, l, "silence false it has written nothing for 1m0s")
	})
}

func TestAThousandProbesAreSpreadAndBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		defer l.open(t)()
		l.exec = func(context.Context, services.Server) error {
			time.Sleep(10 * time.Millisecond) // bubble time
			return nil
		}
		for i := range 1000 {
			l.Begin(probed(fmt.Sprint("s", i), nil, &services.Probe{Exec: []string{"x"}, Interval: 3 * time.Second, Timeout: time.Second, Successes: 1, Failures: 1}))
		}
		time.Sleep(30 * time.Second)
		synctest.Wait()
		if l.most > programs || l.tries < 9000 || l.tries > 11000 {
			t.Errorf("%d attempts in 30 s, up to %d at a time", l.tries, l.most)
		}
		if passed := len(l.news()); passed != 1000 {
			t.Errorf("%d of 1000 passed", passed)
		}
	})
}

func TestAServerThatWritesNothingIsSilentUntilItWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t)
		defer l.open(t)()
		w := probed("a", nil, nil)
		w.Server.Silence.Every = time.Minute
		l.Begin(w)
		time.Sleep(61 * time.Second)
		wantNews(t, l, "silence false it has written nothing for 1m0s")
		l.mu.Lock()
		l.output = time.Now()
		l.mu.Unlock()
		time.Sleep(6 * time.Second)
		wantNews(t, l, "silence true")
	})
}

func TestAnAnswerIsJudgedByStatusBodyAndCertificate(t *testing.T) {
	page := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/broken":
			w.WriteHeader(500)
		case "/host":
			fmt.Fprint(w, r.Host, r.Header.Get("X-Key"))
		case "/cut":
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "half")
		default:
			fmt.Fprint(w, "all is well")
		}
	})
	plain, sealed := httptest.NewServer(page), httptest.NewTLSServer(page)
	defer plain.Close()
	defer sealed.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: sealed.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	only := func(from, to int) []services.StatusRange { return []services.StatusRange{{From: from, To: to}} }
	for name, c := range map[string]struct {
		probe services.HTTPProbe
		says  string
	}{
		"plain":           {services.HTTPProbe{URL: plain.URL}, ""},
		"a redirect":      {services.HTTPProbe{URL: plain.URL + "/moved"}, ""},
		"no redirect":     {services.HTTPProbe{URL: plain.URL + "/moved?token=canary", Status: only(200, 299)}, "GET " + plain.URL + "/moved answered 302, wanted 200 to 299"},
		"broken":          {services.HTTPProbe{URL: plain.URL + "/broken"}, "answered 500, wanted 200 to 399"},
		"broken expected": {services.HTTPProbe{URL: plain.URL + "/broken", Status: only(500, 500)}, ""},
		"the body":        {services.HTTPProbe{URL: plain.URL, Contains: "is well"}, ""},
		"another body":    {services.HTTPProbe{URL: plain.URL, Contains: "is ill"}, `answered without "is ill"`},
		"a cut body":      {services.HTTPProbe{URL: plain.URL + "/cut", Contains: "whole"}, "the connection was closed"},
		"headers":         {services.HTTPProbe{URL: plain.URL + "/host", Headers: map[string]string{"host": "api.example", "X-Key": "7"}, Contains: "api.example7"}, ""},
		"nobody":          {services.HTTPProbe{URL: "http://" + closed.Addr().String() + "/"}, "connection refused"},
		"unknown to us":   {services.HTTPProbe{URL: sealed.URL}, "certificate"},
		"insecure":        {services.HTTPProbe{URL: sealed.URL, Insecure: true}, ""},
		"known to us":     {services.HTTPProbe{URL: sealed.URL, CA: ca}, ""},
	} {
		try, err := newHTTPCheck(c.probe)
		if err != nil {
			t.Fatal(err)
		}
		err = within(t.Context(), 5*time.Second, try)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "canary")) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	if _, err := newHTTPCheck(services.HTTPProbe{URL: sealed.URL, CA: ca + ".missing"}); err == nil {
		t.Error("certificates that are not there are no error")
	}
	if err := (&tcpCheck{address: strings.TrimPrefix(plain.URL, "http://")}).try(t.Context()); err != nil {
		t.Errorf("tcp: %v", err)
	}
	if err := (&tcpCheck{address: closed.Addr().String()}).try(t.Context()); err == nil || !strings.HasSuffix(err.Error(), ": connection refused") {
		t.Errorf("tcp: %v", err)
	}
}
