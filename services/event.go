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
	EventHealth  EventKind = "health"  // healthy changed
	EventOrphan  EventKind = "orphan"  // an orphan appeared or went
	EventRemoved EventKind = "removed" // an unconfigured orphan is gone: forget this server
	EventLog     EventKind = "log"     // a log was truncated, freed or could not be kept small
	EventState   EventKind = "state"   // the state file was damaged, or could not be written
	EventReset   EventKind = "reset"   // events were missed: list again
)

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
	Status  *Status   `json:"status,omitempty"`
}
