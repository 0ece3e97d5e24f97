package services

import "time"

// PastRun is what history knows of one run of a server.
type PastRun struct {
	ID        string   `json:"id"`
	Server    string   `json:"server"`
	StartedAt Time     `json:"startedAt"`
	EndedAt   Time     `json:"endedAt"` // null while it runs
	Exit      *Exit    `json:"exit"`    // null while it runs
	Crash     bool     `json:"crash"`   // it ended by itself and not cleanly
	Lines     []string `json:"lines"`   // the last output at a crash, oldest first
}

// HistoryQuery selects events. The zero value selects the newest.
type HistoryQuery struct {
	Servers []string    // any of these; empty for all
	Kinds   []EventKind // any of these; empty for all
	Text    string      // part of the message, of the server's name or of who did it, in any case
	Since   time.Time   // not before this; zero for no bound
	Until   time.Time   // before this; zero for no bound
	Before  uint64      // a cursor: Next of the page before, 0 for the newest
	Limit   int         // at most so many, 0 for 100; never more than 1000
}

// HistoryPage is one page of events, newest first.
type HistoryPage struct {
	Events []Event `json:"events"`
	Next   uint64  `json:"next"` // Before of the next page, 0 where this is the last; the id of the last event unless the clock was set back
}
