package handlers

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

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
	srv := httptest.NewServer(a.whole)
	defer srv.Close()
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
