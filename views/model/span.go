package model

import (
	"fmt"
	"strconv"
	"time"
)

// Span writes a duration in at most two units. live.js counts on in the same
// way.
func Span(d time.Duration) string {
	s := max(0, int64(d/time.Second))
	switch m, h := s/60, s/3600; {
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case m < 60:
		return fmt.Sprintf("%dm %02ds", m, s%60)
	case h < 24:
		return fmt.Sprintf("%dh %02dm", h, m%60)
	case h < 100*24:
		return fmt.Sprintf("%dd %02dh", h/24, h%24)
	default:
		return fmt.Sprintf("%dd", h/24)
	}
}

// Moment is an instant on the screen.
type Moment struct {
	Machine string // RFC 3339, for the datetime attribute
	Full    string // with date and zone, for whoever points at it
	Clock   string // time of day; with the date where that is not today
	Span    string // how long ago, or how long to wait
	Count   string // "up" or "down" where the span goes on counting, else empty
	Set     bool   // false: there is no such instant
}

const (
	clock = "15:04:05"
	day   = "2 Jan 15:04"
	full  = "Mon 2 Jan 2006, 15:04:05 MST"
)

// Since returns an instant of the past, as seen now.
func Since(at, now time.Time) Moment { return moment(at, now, now.Sub(at), "up") }

// Until returns an instant of the future, as seen now.
func Until(at, now time.Time) Moment { return moment(at, now, at.Sub(now), "down") }

func moment(at, now time.Time, span time.Duration, count string) Moment {
	if at.IsZero() {
		return Moment{}
	}
	at = at.Local()
	layout := day
	if y, m, d := at.Date(); now.Local().Year() == y && now.Local().Month() == m && now.Local().Day() == d {
		layout = clock
	}
	return Moment{
		Machine: at.UTC().Format("2006-01-02T15:04:05.000Z"), Full: at.Format(full), Clock: at.Format(layout),
		Span: Span(span), Count: count, Set: true,
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
