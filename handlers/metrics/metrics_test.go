package metrics

import (
	"context"
	"io"
	"log/slog"
	"net/http/httptest"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"tend/services"
	"tend/services/access"
	"tend/services/controltest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func scrape(t *testing.T, m *Metrics, sees ...string) string {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/metrics", nil)
	m.ServeHTTP(w, r.WithContext(access.With(r.Context(), access.Subject{Role: services.Viewer, Servers: sees})))
	if w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	text, _ := io.ReadAll(w.Body)
	return string(text)
}

// filled is the metrics of two servers with everything there is to tell.
func filled(t *testing.T) *Metrics {
	fake := controltest.NewFake(controltest.Servers()...)
	m := New(Options{Control: fake, Version: "1.2", Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx) }()
	synctest.Wait()
	healthy := true
	at := time.Unix(1700000000, 500_000_000)
	fake.Set(services.EventChanged, services.Status{
		Name: "web", Phase: services.Running, PID: 7, Healthy: &healthy, StartedAt: services.Time{Time: at}, Restarts: 3, Rev: 9,
		Usage: &services.Sample{Memory: 4096, Threads: 2, Files: services.Unknown, Processes: 1},
	})
	for _, exit := range []*services.Exit{
		{Code: 0, Seen: true}, {Code: 3, Seen: true}, {Code: 3, Seen: true}, {Code: -1, Signal: syscall.SIGKILL, Seen: true},
		{Code: -1, Signal: syscall.SIGKILL, OOM: true, Seen: true}, {Code: -1}, nil,
	} {
		fake.Set(services.EventExited, services.Status{Name: "db", Phase: services.BackOff, Exit: exit, Rev: 9})
	}
	for i, percent := range []float64{50, 200, 10} {
		m.Sample("web", services.Sample{At: services.Time{Time: at.Add(time.Duration(i) * 10 * time.Second)}, CPU: percent})
	}
	synctest.Wait()
	cancel()
	<-done
	return m
}

func TestAScrapeTellsOfEveryServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := scrape(t, filled(t))
		for _, line := range []string{
			`tend_server_up{server="web"} 1`, `tend_server_up{server="db"} 0`, `tend_server_healthy{server="web"} 1`,
			`tend_server_phase{phase="running",server="web"} 1`, `tend_server_restarts_total{server="web"} 3`,
			`tend_server_start_time_seconds{server="web"} 1.7000000005e+09`, `tend_server_memory_bytes{server="web"} 4096`,
			`tend_server_threads{server="web"} 2`, `tend_server_processes{server="web"} 1`, `tend_server_cpu_seconds_total{server="web"} 21`,
			`tend_server_exits_total{cause="success",server="db"} 1`, `tend_server_exits_total{cause="failure",server="db"} 2`,
			`tend_server_exits_total{cause="signal",server="db"} 1`, `tend_server_exits_total{cause="out_of_memory",server="db"} 1`,
			`tend_server_exits_total{cause="unknown",server="db"} 2`, `tend_build_info{version="1.2"} 1`,
		} {
			if !strings.Contains(text, line+"\n") {
				t.Errorf("there is no %s", line)
			}
		}
		for _, line := range []string{`tend_server_healthy{server="db"}`, `tend_server_open_files{server="web"}`, `tend_server_start_time_seconds{server="db"}`} {
			if strings.Contains(text, line) {
				t.Errorf("what nobody knows is told: %s", line)
			}
		}
		if !strings.Contains(text, "go_goroutines ") || !strings.Contains(text, "process_resident_memory_bytes ") {
			t.Error("the manager's own figures are missing")
		}
	})
}

func TestAScrapeTellsOnlyOfServersThatMayBeKnown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		text := scrape(t, filled(t), "web")
		if !strings.Contains(text, `tend_server_up{server="web"} 1`) || strings.Contains(text, `server="db"`) {
			t.Errorf("it tells of others: %s", text)
		}
	})
}

func TestTheScrapePassesPrometheusOwnCheck(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is not installed (Debian's package prometheus)")
	}
	var text string
	synctest.Test(t, func(t *testing.T) { text = scrape(t, filled(t)) })
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = strings.NewReader(text)
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %s", err, out)
	}
}

func TestAServerThatIsGoneIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := filled(t)
		m.forget("db")
		if text := scrape(t, m); strings.Contains(text, `tend_server_exits_total{cause="signal",server="db"}`) {
			t.Error("it is still counted")
		}
	})
}
