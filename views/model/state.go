package model

import (
	"strings"

	"tend/services"
)

// Tone is how good or bad something is: the name of a colour's role, not of a
// colour.
type Tone string

// The tones.
const (
	Good  Tone = "good"  // as wanted
	Busy  Tone = "busy"  // on its way to somewhere else
	Warn  Tone = "warn"  // not as wanted, and being dealt with
	Bad   Tone = "bad"   // needs a person
	Quiet Tone = "quiet" // nothing to look at
)

// Sign is a state as people see it: a word, a shape (the name of an icon) and
// a tone, so that none of them has to be told from the others by colour alone.
type Sign struct {
	Word  string
	Shape string
	Tone  Tone
}

// Orphaned is the word for a server that lost its place: to a foreign process
// that holds its port, or in the configuration.
const Orphaned = "orphaned"

var phases = map[services.Phase]Sign{
	services.Stopped:  {"stopped", "stopped", Quiet},
	services.Waiting:  {"waiting", "waiting", Busy},
	services.Starting: {"starting", "starting", Busy},
	services.Running:  {"running", "running", Good},
	services.Stopping: {"stopping", "stopping", Busy},
	services.BackOff:  {"backoff", "backoff", Warn},
	services.Failed:   {"failed", "failed", Bad},
	services.Exited:   {"exited", "exited", Quiet},
}

// StateOf returns the state of a server.
func StateOf(s *services.Status) Sign {
	sign, known := phases[s.Phase]
	switch {
	case s.Orphaned:
		return Sign{Orphaned, "orphaned", Warn}
	case !known:
		return Sign{string(s.Phase), "stopped", Quiet}
	case s.Phase == services.Running && unwell(s):
		return Sign{sign.Word, "unwell", Warn}
	case s.Phase == services.Exited && s.Exit == nil:
		return Sign{"scheduled", "waiting", Quiet}
	case s.Phase == services.Exited && s.Type == services.Task:
		return Sign{"completed", sign.Shape, Good}
	}
	return sign
}

func unwell(s *services.Status) bool { return s.Healthy != nil && !*s.Healthy }

// HealthOf returns what the checks say. Where nothing is checked the word is
// empty.
func HealthOf(s *services.Status) Sign {
	switch {
	case s.Healthy == nil && s.Phase == services.Running && !s.Orphaned:
		return Sign{"checking", "waiting", Busy}
	case s.Healthy == nil:
		return Sign{}
	case *s.Healthy:
		return Sign{"healthy", "well", Good}
	}
	return Sign{"unhealthy", "unwell", Warn}
}

// WhyOf returns the reason for a state, as a part of a sentence, and nothing
// where it would only repeat the state's word.
func WhyOf(s *services.Status) string {
	why := s.Why
	if s.Orphaned && s.OrphanKind != nil && *s.OrphanKind == services.Foreign {
		why, _, _ = strings.Cut(why, "; port ") // who holds it is said in a place of its own
	}
	word := string(s.Phase)
	if why == word {
		return ""
	}
	for _, lead := range []string{word + ", ", word + "; "} {
		if rest, found := strings.CutPrefix(why, lead); found {
			return rest
		}
	}
	return why
}

// exitOf says in two words how the last run ended, "" for never.
func exitOf(e *services.Exit) (text string, tone Tone) {
	switch {
	case e == nil:
		return "", Quiet
	case !e.Seen:
		return "unseen", Quiet
	case e.Signal != 0 && e.Core:
		return services.SignalName(e.Signal) + ", core", Bad
	case e.Signal != 0:
		return services.SignalName(e.Signal), Quiet
	case e.Code == 0:
		return "code 0", Quiet
	}
	return "code " + itoa(e.Code), Warn
}
