// Package metrics is what Prometheus reads: the servers as they are at the
// moment of the scrape, what was counted since the manager began, and the
// manager's own figures. It has a registry of its own.
package metrics

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tend/services"
	"tend/services/access"
)

// Options says what is exposed.
type Options struct {
	Control services.Control
	Version string
	Log     *slog.Logger
}

// Metrics counts and answers scrapes. Use New; everybody may call its methods.
type Metrics struct {
	control services.Control
	all     http.Handler
	some    func(sees func(server string) bool) http.Handler

	mu     sync.Mutex // guards what follows
	exits  map[exitKey]float64
	cpu    map[string]*used
	repeat time.Time // when those that were not sampled had their last sample once more
}

type exitKey struct{ server, cause string }

// used is the processor time of a server, as far as it was sampled.
type used struct {
	seconds float64
	at      time.Time
}

// New makes the metrics; Run makes them count.
func New(o Options) *Metrics {
	m := &Metrics{control: o.Control, exits: make(map[exitKey]float64), cpu: make(map[string]*used)}
	m.all = m.exposed(o, func(string) bool { return true })
	m.some = func(sees func(string) bool) http.Handler { return m.exposed(o, sees) }
	return m
}

// exposed is the endpoint for whoever sees some servers.
func (m *Metrics) exposed(o Options, sees func(server string) bool) http.Handler {
	registry := prometheus.NewRegistry()
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tend_build_info", Help: "Always 1; the label is the version of the manager.", ConstLabels: prometheus.Labels{"version": o.Version},
	})
	build.Set(1)
	registry.MustRegister(servers{m, sees}, build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn)})
}

// ServeHTTP answers a scrape with the servers that whoever asks may know of.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s, known := access.Of(r.Context()); known && s.Limited() {
		m.some(s.Sees).ServeHTTP(w, r)
		return
	}
	m.all.ServeHTTP(w, r)
}

// Run counts exits until ctx ends. Those before the manager began are not in
// the count.
func (m *Metrics) Run(ctx context.Context) error {
	for e, err := range m.control.Watch(ctx, services.Now) {
		switch {
		case err != nil:
			return err
		case e.Kind == services.EventExited && e.Status != nil:
			m.mu.Lock()
			m.exits[exitKey{e.Server, cause(e.Status.Exit)}]++
			m.mu.Unlock()
		case e.Kind == services.EventRemoved:
			m.forget(e.Server)
		}
	}
	return nil
}

func (m *Metrics) forget(server string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.cpu, server)
	for key := range m.exits {
		if key.server == server {
			delete(m.exits, key)
		}
	}
}

// Sample adds what a server has used since the sample before.
func (m *Metrics) Sample(server string, s services.Sample) {
	m.mu.Lock()
	defer m.mu.Unlock()
	u := m.cpu[server]
	if u == nil {
		u = &used{at: s.At.Time}
		m.cpu[server] = u
	}
	before := u.at
	if m.repeat.After(before) {
		before = m.repeat
	}
	if since := s.At.Sub(before).Seconds(); since > 0 {
		u.seconds += s.CPU / 100 * since
	}
	u.at = s.At.Time
}

// Repeat says that at a time all servers that were not sampled then had used
// nothing since their last sample.
func (m *Metrics) Repeat(at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.repeat = at
}

// cause classifies an exit by what ended the run.
func cause(e *services.Exit) string {
	switch {
	case e == nil || !e.Seen:
		return "unknown"
	case e.OOM:
		return "out_of_memory"
	case e.Signal != 0:
		return "signal"
	case e.Code == 0:
		return "success"
	}
	return "failure"
}

// counted returns what was counted for every server.
func (m *Metrics) counted() (exits map[exitKey]float64, cpu map[string]float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	exits, cpu = make(map[exitKey]float64, len(m.exits)), make(map[string]float64, len(m.cpu))
	for key, n := range m.exits {
		exits[key] = n
	}
	for server, u := range m.cpu {
		cpu[server] = u.seconds
	}
	return exits, cpu
}
