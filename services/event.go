package services

import "math"

// EventKind says what happened, in the past tense.
type EventKind string

// The kinds of events. Those about a server carry its Status; the others are
// about the manager itself.
const (
	EventStarted EventKind = "started" // a run has begun
	EventAdopted EventKind = "adopted" // a run of an earlier manager was taken over
	EventExited  EventKind = "exited"  // a run has ended
	EventChanged EventKind = "changed" // want or phase changed in another way
	EventFailed  EventKind = "failed"  // it gave up, or cannot start: a person has to look
	EventHealth  EventKind = "health"  // healthy changed
	EventOrphan  EventKind = "orphan"  // an orphan appeared or went
	EventRemoved EventKind = "removed" // it left the configuration and nothing of it runs: forget this server

	EventThreshold EventKind = "threshold" // it used more than it should for too long, or no longer does
	EventLog       EventKind = "log"       // a log was truncated, freed or could not be kept small
	EventDisk      EventKind = "disk"      // the disk is nearly full, or no longer is
	EventState     EventKind = "state"     // the state file was damaged, or could not be written
	EventHistory   EventKind = "history"   // history was damaged, or could not be written
	EventReload    EventKind = "reload"    // the configuration was read again
	EventManager   EventKind = "manager"   // a manager has begun, or ends
	EventAlert     EventKind = "alert"     // an alert could not be delivered
	EventAudit     EventKind = "audit"     // somebody asked for a change, and what became of it
	EventReset     EventKind = "reset"     // events were missed: list again
)

// EventKinds lists every kind that history keeps once.
var EventKinds = []EventKind{
	EventStarted, EventAdopted, EventExited, EventChanged, EventFailed, EventHealth, EventOrphan, EventRemoved,
	EventThreshold, EventLog, EventDisk, EventState, EventHistory, EventReload, EventManager, EventAlert, EventAudit,
}

// Now, as the position to watch from, means the next event.
const Now = math.MaxUint64

// Event is something that happened. Status is what its server looked like
// right after, nil where the event is about no server.
type Event struct {
	ID      uint64    `json:"id"` // grows by one in one manager's life; its upper bits tell lives apart
	At      Time      `json:"at"`
	Kind    EventKind `json:"kind"`
	Server  string    `json:"server,omitempty"`
	Message string    `json:"message"`
	By      string    `json:"by,omitempty"`      // who caused it: see Order; empty where nobody did
	Crash   bool      `json:"crash,omitempty"`   // of EventExited: by itself, and not cleanly
	Resolve bool      `json:"resolve,omitempty"` // of health, orphan, threshold and disk: what was wrong is well again
	Status  *Status   `json:"status,omitempty"`
}
