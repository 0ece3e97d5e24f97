package config

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // a static binary runs where no time zones are installed

	"github.com/netresearch/go-cron"

	"tend/services"
)

var cronParser = cron.NewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.Descriptor)

// Timetable returns the times of a schedule: the first one after an instant,
// zero where there is none any more. Where the clock is set forward a time that
// does not exist that day comes as much later. The error is about the text.
func Timetable(s services.Schedule) (next func(after time.Time) time.Time, err error) {
	zone := time.Local
	if s.Zone != "" {
		if zone, err = time.LoadLocation(s.Zone); err != nil {
			return nil, fmt.Errorf("there is no time zone %q: write one such as Europe/Paris or UTC", s.Zone)
		}
	}
	if strings.Contains(s.Cron, "TZ=") {
		return nil, fmt.Errorf("%q names a time zone: write it as timezone: Europe/Paris", s.Cron)
	}
	times, err := cronParser.Parse(s.Cron)
	if err != nil {
		return nil, fmt.Errorf("%q is not in cron syntax: %v: write minute, hour, day of the month, month and day of the week, such as \"30 3 * * *\", with seconds in front if you like, or @daily, @hourly and so on", s.Cron, err)
	}
	return func(after time.Time) time.Time { return times.Next(after.In(zone)) }, nil
}

// timing is the schedule of a draft with its places.
type timing struct {
	at, zoneAt, overlapAt, restartAt place
}

func (d *decoder) schedule(n *node, label string, s *draft) {
	value, ok := d.text(n, label, `"0 */5 * * * *"`)
	if !ok {
		return
	}
	s.Schedule.Cron, s.timing.at = strings.Join(strings.Fields(value), " "), n.at
	if s.Schedule.Cron == "" {
		d.add(n.at, label, `is empty: write one such as "0 */5 * * * *" (second, minute, hour, day of the month, month, day of the week)`)
		return
	}
	next, err := Timetable(services.Schedule{Cron: s.Schedule.Cron})
	switch {
	case err != nil:
		d.add(n.at, label, "%v", err)
	case next(time.Now()).IsZero():
		d.add(n.at, label, "never fires: no day is %s: change its day or its month", quoteCut(s.Schedule.Cron, `"`))
	}
}

func (d *decoder) zone(n *node, label string, s *draft) {
	value, ok := d.text(n, label, "Europe/Paris")
	if !ok {
		return
	}
	s.Schedule.Zone, s.timing.zoneAt = value, n.at
	if _, err := time.LoadLocation(value); err != nil || value == "" {
		d.add(n.at, label, "names no time zone: write one such as Europe/Paris or UTC, not %s", quoteCut(value, `"`))
	}
}

// checkTask looks for what does not go together in a server that was read
// whole.
func (d *decoder) checkTask(s *draft, label string) {
	task := s.Type == services.Task
	if s.timing.restartAt == (place{}) && task {
		s.Restart = services.RestartNever
	}
	switch {
	case task && s.Restart == services.RestartAlways:
		d.add(s.timing.restartAt, label+"restart", "is always, but a task ends: write on-failure or never, or schedule: to run it again and again")
	case !task && s.Schedule.Cron != "":
		d.add(cmp.Or(s.timing.at, s.at), label+"schedule", "is for tasks: add type: task")
	case s.Schedule.Cron == "" && s.timing.zoneAt != (place{}):
		d.add(s.timing.zoneAt, label+"timezone", "belongs to a schedule: add one, or remove it")
	case s.Schedule.Cron == "" && s.timing.overlapAt != (place{}):
		d.add(s.timing.overlapAt, label+"overlap", "belongs to a schedule: add one, or remove it")
	}
}
