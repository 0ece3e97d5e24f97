//go:build linux

package main

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// row is one measured figure.
type row struct {
	what   string
	unit   string
	ours   samples
	hand   samples // empty where there is nothing to compare with
	turns  bool    // they were measured in turns: neighbours are compared
	tail   bool    // the 99th percentile is asked for, too
	target string  // what must be reached, in words
	met    func(r row) bool
	notes  []string
}

// ratio is how many times as long, or as much, as by hand: of the medians, or
// the median for neighbours, which a machine that becomes slower for a minute
// does not change.
func (r row) ratio() float64 {
	if !r.turns {
		return r.ours.median() / r.hand.median()
	}
	var ratios samples
	for i := range r.ours {
		ratios.add(r.ours[i] / r.hand[i])
	}
	return ratios.median()
}

// tailRatio compares the 99th percentiles.
func (r row) tailRatio() float64 { return r.ours.p99() / r.hand.p99() }

// table prints rows as they come.
type table struct {
	out    io.Writer
	missed int // rows
	rows   int
}

func newTable(out io.Writer) *table { return &table{out: out} }

const rowFormat = "%-60s %10s %10s %10s %8s  %-28s %s\n"

func (t *table) head() {
	line := fmt.Sprintf(rowFormat, "figure", "median", "p99", "by hand", "ratio", "target", "")
	fmt.Fprint(t.out, line, strings.Repeat("-", len(line)+3), "\n")
}

func (t *table) add(r row) {
	verdict := "-"
	if r.met != nil {
		verdict = "ok"
		if !r.met(r) {
			verdict = "MISS"
			t.missed++
		}
	}
	t.rows++
	tail, hand, ratio := "", value(r.hand.median(), r.unit), times(r.ratio())
	if r.tail {
		tail = value(r.ours.p99(), r.unit)
	}
	fmt.Fprintf(t.out, rowFormat, r.what, value(r.ours.median(), r.unit), tail, hand, ratio, r.target, verdict)
	if r.tail && len(r.hand) > 0 {
		fmt.Fprintf(t.out, rowFormat, "", "", "", value(r.hand.p99(), r.unit), times(r.tailRatio()), "(p99)", "")
	}
	for _, n := range r.notes {
		fmt.Fprintf(t.out, "    %s\n", n)
	}
}

func (t *table) foot() {
	fmt.Fprintf(t.out, "\n%d of %d figures miss their target.\n", t.missed, t.rows)
}

// value writes a number with three significant digits.
func value(v float64, unit string) string {
	if math.IsNaN(v) {
		return "-"
	}
	digits := 2
	switch a := math.Abs(v); {
	case a >= 100:
		digits = 0
	case a >= 10:
		digits = 1
	case a < 0.1:
		digits = 3
	}
	return fmt.Sprintf("%.*f %s", digits, v, unit)
}

func times(ratio float64) string {
	if math.IsNaN(ratio) || math.IsInf(ratio, 0) {
		return "-"
	}
	return fmt.Sprintf("%.2f x", ratio)
}
