package model

import "time"

// TimeTick is one label of the time axis.
type TimeTick struct {
	X      string // where it stands, in percent of the width
	Label  string
	Anchor string // which part of the label stands there: start, middle or end
	Minor  bool   // may go where there is little room
}

// tick is an instant on the time axis.
type tick struct {
	at    time.Time
	label string
	minor bool
}

// ticks returns round times of the wall clock between two instants, in the
// location of to. An hour that a change of the clocks skips has no tick.
func (r Range) ticks(from, to time.Time) []tick {
	switch r {
	case RangeDay:
		return hourTicks(from, to)
	case RangeWeek:
		return dayTicks(from, to, "Mon 2", func(day time.Time) (bool, bool) { return true, day.YearDay()%2 == 0 })
	case RangeMonth:
		return dayTicks(from, to, "2 Jan", func(day time.Time) (bool, bool) { return day.Weekday() == time.Monday, false })
	}
	var out []tick
	at := wallFloor(from, to, 10*time.Minute)
	for ; !at.After(to); at = at.Add(10 * time.Minute) {
		if !at.Before(from) {
			out = append(out, tick{at, at.Format("15:04"), at.Minute()%20 != 0})
		}
	}
	return out
}

// hourTicks returns every third hour of the wall clock; midnight says which
// day begins.
func hourTicks(from, to time.Time) []tick {
	var out []tick
	for _, day := range days(from, to) {
		for h := 0; h < 24; h += 3 {
			y, m, d := day.date.Date()
			at := time.Date(y, m, d, h, 0, 0, 0, to.Location())
			label := at.Format("15:04")
			if h == 0 {
				at, label = day.begin, day.date.Format("Mon 2")
			} else if at.Hour() != h {
				continue
			}
			if !at.Before(from) && !at.After(to) {
				out = append(out, tick{at, label, h%6 != 0})
			}
		}
	}
	return out
}

func dayTicks(from, to time.Time, layout string, keep func(day time.Time) (keep, minor bool)) []tick {
	var out []tick
	for _, day := range days(from, to) {
		if wanted, minor := keep(day.date); wanted && !day.begin.Before(from) && !day.begin.After(to) {
			out = append(out, tick{day.begin, day.date.Format(layout), minor})
		}
	}
	return out
}

// calendarDay is a day and the instant at which it begins, which is not
// midnight where the clocks change then.
type calendarDay struct{ date, begin time.Time }

// days returns the days that have to do with a span of time, in the location
// of to.
func days(from, to time.Time) []calendarDay {
	var out []calendarDay
	y, m, d := from.In(to.Location()).Date()
	for {
		date := time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
		begin := time.Date(y, m, d, 0, 0, 0, 0, to.Location())
		if begin.Day() != date.Day() { // the hour that was skipped, seen from before
			begin = begin.Add(time.Hour)
		}
		if begin.After(to) {
			return out
		}
		out = append(out, calendarDay{date, begin})
		d++
	}
}

// grid returns the bounds of the slots of a step between two instants. They
// are at round times of the wall clock, so that a picture does not change its
// shape as time goes on; the first and the last slot are shorter.
func grid(from, to time.Time, step time.Duration) []time.Time {
	out := make([]time.Time, 1, int(to.Sub(from)/step)+3)
	out[0] = from
	for at := wallFloor(from, to, step).Add(step); at.Before(to); at = at.Add(step) {
		out = append(out, at)
	}
	return append(out, to)
}

// wallFloor returns the last round time of the wall clock that is not after
// at, by the zone that holds at the instant zone.
func wallFloor(at, zone time.Time, step time.Duration) time.Time {
	_, seconds := zone.Zone()
	offset := time.Duration(seconds) * time.Second
	return at.In(zone.Location()).Add(offset).Truncate(step).Add(-offset)
}
