package logs

import (
	"regexp"
	"time"
)

// Address is the permanent place of a line in a server's log: it stays the
// same while retention removes what came before. Gen grows when the file was
// begun anew.
type Address struct {
	Gen uint64
	Off int64 // bytes since the generation began
}

// Line is one line of output.
type Line struct {
	Address Address
	Next    Address   // where the following line begins
	At      time.Time // when it was noticed, zero where nobody knows
	Text    []byte    // without the newline, bounded
	Cut     bool      // the line is longer than Text
	Partial bool      // no newline yet
}

// Query selects lines.
type Query struct {
	Tail   int       // at most the last n lines, -1 for all
	Since  time.Time // not before, zero for no bound
	After  Address   // from this address on, zero for no bound
	Grep   *regexp.Regexp
	Follow bool // go on with new lines until the context ends
}
