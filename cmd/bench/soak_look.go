//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// gauge is something of the manager that has to level off: of the last third of
// the soak the median must not be above that of the middle third by more than a
// part of it and an amount. Medians, for a moment says nothing; two thirds, for
// the first one is the start.
type gauge struct {
	what, unit  string
	part, above float64
	seen        samples
}

// The tolerances are what chance brings about. What leaks with each crash, or
// with each message to a browser, is above them within minutes.
func newGauges() []*gauge {
	return []*gauge{
		{what: "memory (PSS)", unit: "MB", part: 0.10, above: 2},
		{what: "open descriptors", part: 0.05, above: 10},
		{what: "goroutines", part: 0.05, above: 20},
		{what: "journal of the database", unit: "MB", part: 0.15, above: 2},
	}
}

// look reads all gauges of a manager.
func (r *rig) lookAtGauges(ctx context.Context, gauges []*gauge) error {
	memory, err := pss(r.manager.pid)
	if err != nil {
		return err
	}
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", r.manager.pid))
	if err != nil {
		return err
	}
	goroutines, err := r.metric(ctx, "go_goroutines")
	if err != nil {
		return err
	}
	journal := 0.0
	if info, err := os.Stat(r.database() + "-wal"); err == nil {
		journal = float64(info.Size())
	}
	for i, value := range []float64{memory / megabyte, float64(len(open)), goroutines, journal / megabyte} {
		gauges[i].seen.add(value)
	}
	return nil
}

func (r *rig) database() string { return filepath.Join(r.data(), "history.db") }

// metric reads one number of what Prometheus reads.
func (r *rig) metric(ctx context.Context, name string) (float64, error) {
	res, err := get(ctx, "http://"+r.listen+"/metrics")
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	value := -1.0
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if text, found := strings.CutPrefix(lines.Text(), name+" "); found {
			if value, err = strconv.ParseFloat(text, 64); err != nil {
				return 0, err
			}
		}
	}
	if value < 0 {
		return 0, fmt.Errorf("/metrics has no %s", name)
	}
	return value, nil
}

// thirds returns the medians of the thirds.
func (g *gauge) thirds() (out [3]float64) {
	n := len(g.seen)
	for i := range out {
		third := slices.Clone(g.seen[i*n/3 : (i+1)*n/3])
		out[i] = third.median()
	}
	return out
}

// report prints the gauges and tells whether all have levelled off.
func reportGauges(out io.Writer, gauges []*gauge) (well bool) {
	const format = "%-28s %12s %12s %12s %12s  %-22s %s\n"
	fmt.Fprintf(out, format, "of the manager, medians", "first third", "middle third", "last third", "most", "the last may have", "")
	well = true
	for _, g := range gauges {
		t := g.thirds()
		limit := t[1]*(1+g.part) + g.above
		verdict := "ok"
		if !(t[2] <= limit) {
			verdict, well = "GROWS", false
		}
		fmt.Fprintf(out, format, g.what, value(t[0], g.unit), value(t[1], g.unit), value(t[2], g.unit), value(slices.Max(g.seen), g.unit),
			fmt.Sprintf("+ %.0f %% + %g", 100*g.part, g.above), verdict)
	}
	return well
}
