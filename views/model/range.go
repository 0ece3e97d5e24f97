package model

import (
	"time"
)

// Range is how far back charts go. The value stands in the address.
type Range string

// The ranges.
const (
	RangeHour  Range = "1h"
	RangeDay   Range = "24h"
	RangeWeek  Range = "7d"
	RangeMonth Range = "30d"
)

// Ranges lists every range once, the shortest first.
var Ranges = []Range{RangeHour, RangeDay, RangeWeek, RangeMonth}

// RangeOf returns the range that an address names, and RangeHour for anything
// else.
func RangeOf(text string) Range {
	for _, r := range Ranges {
		if string(r) == text {
			return r
		}
	}
	return RangeHour
}

const (
	oneDay  = 24 * time.Hour
	oneWeek = 7 * oneDay
)

// Span is how long the range is.
func (r Range) Span() time.Duration {
	switch r {
	case RangeDay:
		return oneDay
	case RangeWeek:
		return oneWeek
	case RangeMonth:
		return 30 * oneDay
	}
	return time.Hour
}

// Label is the range in short: "24 h".
func (r Range) Label() string {
	return string(r[:len(r)-1]) + " " + string(r[len(r)-1:])
}

// slot is the time that one cell of the strip, and one place to point at,
// stands for. There are at most 120 of them.
func (r Range) slot() time.Duration {
	switch r {
	case RangeDay:
		return 15 * time.Minute
	case RangeWeek:
		return 2 * time.Hour
	case RangeMonth:
		return 8 * time.Hour
	}
	return time.Minute
}

// lately says how far back a span goes: "the last 10 minutes".
func lately(span time.Duration) string {
	n, word := int(span.Round(time.Minute)/time.Minute), "minute"
	switch {
	case span > oneDay && span%oneDay == 0:
		n, word = int(span/oneDay), "day"
	case span >= time.Hour && span%time.Hour == 0:
		n, word = int(span/time.Hour), "hour"
	}
	if n == 1 {
		return "the last " + word
	}
	return "the last " + itoa(n) + " " + word + "s"
}

// stamp writes an instant as precisely as a span of time asks for.
func stamp(t time.Time, span time.Duration) string {
	switch {
	case span <= oneDay:
		return t.Format("15:04")
	case span <= oneWeek:
		return t.Format("Mon 15:04")
	}
	return t.Format(day)
}
