package orchestrator

import (
	"time"

	"tend/services"
)

// settings is what a unit is configured to do. It is immutable: a reload gives
// the unit another one.
type settings struct {
	server *services.Server // of the configuration: nobody changes it
	digest string
	policy Policy
	times  func(after time.Time) time.Time // of its schedule, nil for none
	orphan bool                            // it is not configured any more: once nothing of it runs, it is gone
}

func newSettings(s *services.Server, digest string, timetable Timetable) (*settings, error) {
	out := &settings{
		server: s, digest: digest,
		policy: Policy{Restart: s.Restart, GiveUp: s.Backoff.GiveUp, Gated: s.Ready != nil},
	}
	if s.Schedule.Cron != "" && timetable != nil {
		var err error
		if out.times, err = timetable(s.Schedule); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// abandoned is the same server when it has left the configuration.
func (s *settings) abandoned() *settings {
	out := *s
	out.orphan, out.times, out.policy.Restart = true, nil, services.RestartNever
	return &out
}

// links are a unit's neighbours. They are immutable: a reload gives the unit
// others.
type links struct {
	needs  []need
	needed []*unit
	hold   time.Duration // the longest that its dependents may take to stop
}

// need is a dependency and its unit.
type need struct {
	services.Dependency
	*unit
}

// The facts that neighbours act on. Above them stands a number that changes
// whenever a run begins or ends.
const (
	factStarted   uint64 = 1 << iota // it runs, and is not on its way down
	factReady                        // likewise, and it was found ready
	factCompleted                    // it is a task that has ended well
	factLeaving                      // alive, but on its way down

	factBits = 4
)

// met reports whether the dependency is as it has to be.
func (n need) met() bool {
	facts := n.facts.Load()
	switch n.Until {
	case services.UntilStarted:
		return facts&factStarted != 0
	case services.UntilCompleted:
		return facts&factCompleted != 0
	}
	return facts&factReady != 0
}

// turn returns the number of the present run of a unit.
func (u *unit) turn() uint64 { return u.facts.Load() >> factBits }
