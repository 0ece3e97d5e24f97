package model

import (
	"strings"
	"time"

	"tend/services"
)

// PastRun is one run of a server on the screen.
type PastRun struct {
	ID      string
	Started Moment
	Ended   Moment // not set while it runs
	Lasted  string
	How     string
	Tone    Tone
	Lines   string // the last output at a crash
}

// RunsOf makes the view of runs, newest first.
func RunsOf(list []services.PastRun, now time.Time) []PastRun {
	out := make([]PastRun, 0, len(list))
	for _, r := range list {
		run := PastRun{
			ID: r.ID, Started: Since(r.StartedAt.Time, now), Ended: Since(r.EndedAt.Time, now),
			How: "runs", Tone: Good, Lines: strings.Join(r.Lines, "\n"),
		}
		end := r.EndedAt.Time
		if end.IsZero() {
			end = now
		} else {
			run.How, run.Tone = "ended", Quiet
			if r.Exit != nil {
				run.How = r.Exit.Reason()
			}
			if r.Crash {
				run.Tone = Bad
			}
		}
		run.Lasted = Span(end.Sub(r.StartedAt.Time))
		out = append(out, run)
	}
	return out
}
