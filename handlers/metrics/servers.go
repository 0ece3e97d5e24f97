package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tend/services"
)

func about(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("tend_server_"+name, help, append([]string{"server"}, labels...), nil)
}

var (
	up        = about("up", "Whether the server's own process runs.")
	healthy   = about("healthy", "Whether the server's checks pass; absent where nothing is known.")
	phase     = about("phase", "1 for the phase that the server is in.", "phase")
	restarts  = about("restarts_total", "Restarts by policy since the operator last started the server.")
	exits     = about("exits_total", "Ends of a run since the manager began, by cause: success, failure, signal, out_of_memory, unknown.", "cause")
	started   = about("start_time_seconds", "When the present run began, since 1970.")
	cpu       = about("cpu_seconds_total", "Processor time of the whole process tree since the manager began.")
	memory    = about("memory_bytes", "Memory of the whole process tree.")
	threads   = about("threads", "Threads of the whole process tree.")
	files     = about("open_files", "Open descriptors of the whole process tree.")
	processes = about("processes", "Processes of the whole process tree.")
)

// scrapeTime bounds how long a scrape waits for the list of servers.
const scrapeTime = 5 * time.Second

// servers collects the servers as they are now.
type servers struct {
	*Metrics
	sees func(server string) bool
}

// Describe implements prometheus.Collector.
func (servers) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{up, healthy, phase, restarts, exits, started, cpu, memory, threads, files, processes} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (c servers) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	list, err := c.control.List(ctx)
	if err != nil {
		out <- prometheus.NewInvalidMetric(up, err)
		return
	}
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	ends, used := c.counted()
	for i := range list {
		s := &list[i]
		if !c.sees(s.Name) {
			continue
		}
		gauge(up, truth(s.PID != 0), s.Name)
		gauge(phase, 1, s.Name, string(s.Phase))
		counter(restarts, float64(s.Restarts), s.Name)
		if s.Healthy != nil {
			gauge(healthy, truth(*s.Healthy), s.Name)
		}
		if !s.StartedAt.IsZero() {
			gauge(started, float64(s.StartedAt.UnixMilli())/1e3, s.Name)
		}
		if seconds, ok := used[s.Name]; ok {
			counter(cpu, seconds, s.Name)
		}
		if u := s.Usage; u != nil {
			for d, amount := range map[*prometheus.Desc]services.Amount{memory: u.Memory, threads: u.Threads, files: u.Files, processes: u.Processes} {
				if amount >= 0 {
					gauge(d, float64(amount), s.Name)
				}
			}
		}
	}
	for key, n := range ends {
		if !c.sees(key.server) {
			continue
		}
		counter(exits, n, key.server, key.cause)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
