//go:build linux

package main

import (
	"math"
	"slices"
	"time"
)

// samples are repetitions of one measurement, in order.
type samples []float64

func (s *samples) add(v float64) { *s = append(*s, v) }

// ms adds a duration in milliseconds.
func (s *samples) ms(d time.Duration) { s.add(float64(d) / float64(time.Millisecond)) }

// quantile returns the smallest sample that at least the share q of all does
// not exceed; NaN when there is none.
func (s samples) quantile(q float64) float64 {
	if len(s) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(s))
	i := int(math.Ceil(q*float64(len(sorted)))) - 1
	return sorted[min(max(i, 0), len(sorted)-1)]
}

// median is the middle, or the mean of the two that are.
func (s samples) median() float64 {
	if len(s)%2 == 1 || len(s) == 0 {
		return s.quantile(0.5)
	}
	sorted := slices.Sorted(slices.Values(s))
	return (sorted[len(s)/2-1] + sorted[len(s)/2]) / 2
}

func (s samples) p99() float64 { return s.quantile(0.99) }

func (s samples) worst() float64 { return s.quantile(1) }

func (s samples) mean() float64 {
	sum := 0.0
	for _, v := range s {
		sum += v
	}
	return sum / float64(len(s))
}

// inTurns measures both in so many rounds, each first in every other: the second
// finds what the first has left, such as memory that was just freed. It returns
// the first error.
func inTurns(rounds int, ours, hand func() error) error {
	for i := range rounds {
		first, second := ours, hand
		if i%2 == 1 {
			first, second = hand, ours
		}
		if err := first(); err != nil {
			return err
		}
		if err := second(); err != nil {
			return err
		}
	}
	return nil
}
