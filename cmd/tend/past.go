package main

import (
	"context"
	"path/filepath"
	"time"

	"tend/services"
	"tend/services/history"
	"tend/services/logs"
)

// lastLines is how much of a server's output is kept with a crash.
const lastLines = 20

// openHistory opens what people look at of the past.
func (m *manager) openHistory() (err error) {
	m.past, err = history.Open(history.Options{
		Path: filepath.Join(m.cfg.Data, history.FileName), Keep: m.cfg.History.Keep,
		Lines: m.lastLines, Report: m.bus.Publish, Log: m.log,
	})
	return err
}

// lastLines returns the end of what a run of a server has written.
func (m *manager) lastLines(server string, began time.Time) (lines []string) {
	for line, err := range m.logs.Read(context.Background(), server, logs.Query{Tail: lastLines, Run: began}) {
		if err != nil {
			break
		}
		lines = append(lines, string(line.Text))
	}
	return lines
}

// remember hands everything that happens after a position to history, and to
// those who tell people.
func (m *manager) remember(ctx context.Context, after uint64) error {
	for e, err := range m.bus.Watch(ctx, after) {
		if err != nil {
			return err
		}
		if e.Kind == services.EventReset {
			m.log.Warn("history has missed events: they came faster than it could take them")
		}
		m.past.Event(e)
		m.alerts.Event(e)
	}
	return nil
}
