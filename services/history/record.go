package history

import (
	"strings"
	"time"
	"unicode/utf8"

	"tend/services"
)

// longestMessage is how many bytes of a message are kept.
const longestMessage = 2048

// The flags of an event in the table.
const (
	flagCrash = 1 << iota
	flagResolve
)

// record is what is kept of an event. It does not hold the Status, so that a
// long queue costs little.
type record struct {
	id              uint64
	at              int64 // milliseconds since 1970, as all times in the tables
	kind            services.EventKind
	phase           services.Phase
	server          string
	message, by     string
	flags           int
	exit            *services.Exit
	run             string // that its status names
	started         int64  // of the process that its status shows, 0 for none
	idle            bool   // its status shows no process, or its server is gone
	begins, ends    bool   // a run: see ledger
	endedRun        string // empty where only the table knows
	endedRunStarted int64
	lines           []string // at a crash
}

func newRecord(e services.Event) record {
	r := record{
		id: e.ID, at: millis(e.At.Time), kind: e.Kind, server: e.Server, message: bounded(e.Message), by: bounded(e.By),
		idle: e.Kind == services.EventRemoved,
	}
	if e.At.IsZero() {
		r.at = time.Now().UnixMilli()
	}
	if e.Crash {
		r.flags |= flagCrash
	}
	if e.Resolve {
		r.flags |= flagResolve
	}
	if s := e.Status; s != nil {
		r.phase, r.exit, r.run, r.started = s.Phase, s.Exit, s.Run, millis(s.StartedAt.Time)
		r.idle = r.idle || s.Run == "" && r.started == 0
	}
	return r
}

// size is about how much memory the record takes.
func (r *record) size() int { return 256 + len(r.message) + len(r.by) }

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// instant is the time of a number in a table.
func instant(ms int64) services.Time {
	if ms == 0 {
		return services.Time{}
	}
	return services.Time{Time: time.UnixMilli(ms)}
}

// bounded shortens a text that is too long, between two characters.
func bounded(text string) string {
	if len(text) <= longestMessage {
		return text
	}
	cut := longestMessage
	for cut > longestMessage-utf8.UTFMax && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return strings.Clone(text[:cut]) // the rest of it can go
}
