package handlers

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"tend/services"
)

// BenchmarkGetAThousandServers measures GET /api/servers over a connection,
// through everything that stands before it.
func BenchmarkGetAThousandServers(b *testing.B) {
	a := newApp(b)
	healthy, tracking := true, services.TrackCgroup
	for i := range 1000 {
		a.Set(services.EventStarted, services.Status{
			Name: fmt.Sprintf("server-%04d", i), Command: "/usr/bin/server --port 8080", DependsOn: []string{},
			Phase: services.Running, Want: services.Up, Why: "running", Running: true, Healthy: &healthy, PID: 4242, Port: 8080,
			Run: "0123456789abcdef", Tracking: &tracking,
		})
	}
	srv := serveOn(b, a.whole)
	b.ReportAllocs()
	for b.Loop() {
		res, err := srv.Client().Get(srv.URL + "/api/servers")
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			b.Fatal(res.Status, err)
		}
		b.SetBytes(n)
	}
}

// BenchmarkOverviewOfAThousandServers measures GET / as a browser asks for it,
// with ten minutes of what every server used.
func BenchmarkOverviewOfAThousandServers(b *testing.B) {
	recent := NewRecent()
	a := newApp(b, func(d *Deps) { d.Recent = recent })
	healthy, now := true, time.Now()
	for i := range 1000 {
		name := fmt.Sprintf("server-%04d", i)
		a.Set(services.EventStarted, services.Status{
			Name: name, Group: fmt.Sprint("group ", i/50), Command: "/usr/bin/server --port " + fmt.Sprint(8000+i),
			Phase: services.Running, Want: services.Up, Why: "running", Running: true, Healthy: &healthy, PID: services.Int(4000 + i), Port: services.Int(8000 + i),
			StartedAt: services.Time{Time: now.Add(-time.Duration(i) * time.Minute)}, Restarts: i % 4,
		})
		for j := range 40 {
			recent.Add(name, services.Sample{
				At: services.Time{Time: now.Add(time.Duration(j-40) * 15 * time.Second)}, State: services.VigourUp,
				CPU: float64((i*7 + j*j) % 90), Memory: services.Amount(1e8 + (i*j%50)*1e6),
			})
		}
	}
	srv := serveOn(b, a.whole)
	b.ReportAllocs()
	for b.Loop() {
		req, err := http.NewRequest(http.MethodGet, srv.URL, nil)
		if err != nil {
			b.Fatal(err)
		}
		req.Header.Set("Accept-Encoding", "gzip")
		res, err := srv.Client().Do(req)
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusOK {
			b.Fatal(res.Status, err)
		}
		b.ReportMetric(float64(n)/1e3, "kB")
	}
}
