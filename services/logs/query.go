package logs

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tend/services"
)

// MaxText bounds the Text of a Line, in bytes.
const MaxText = 64 << 10

// Address is the permanent place of a line in a server's log: it stays the
// same while retention removes what came before. Gen grows when the file was
// begun anew.
type Address struct {
	Gen uint64
	Off int64 // bytes since the generation began
}

// String writes the address as "gen.off".
func (a Address) String() string { return fmt.Sprintf("%d.%d", a.Gen, a.Off) }

// IsZero reports whether the address is no place at all.
func (a Address) IsZero() bool { return a == Address{} }

// Before reports whether a lies before b in the log.
func (a Address) Before(b Address) bool {
	return a.Gen < b.Gen || a.Gen == b.Gen && a.Off < b.Off
}

// ParseAddress reads what String writes. The error is of kind Invalid.
func ParseAddress(text string) (Address, error) {
	gen, off, found := strings.Cut(text, ".")
	g, err1 := strconv.ParseUint(gen, 10, 64)
	o, err2 := strconv.ParseUint(off, 10, 63)
	if !found || err1 != nil || err2 != nil {
		return Address{}, services.Errorf(services.Invalid, "%.40q is not an address in a log: write it as it was given, such as 1.4096", text)
	}
	return Address{Gen: g, Off: int64(o)}, nil
}

// Line is one line of output, as it was written: colours, binary bytes and all,
// but for what Options.Hide takes out.
type Line struct {
	Address Address
	Next    Address   // where the following line begins
	At      time.Time // when it was noticed, zero where nobody knows
	Text    []byte    // without the newline and what is hidden, at most MaxText or a little more; the caller may keep it
	Cut     bool      // the line is longer than Text
	Partial bool      // no newline yet: the line that begins at Next continues it
}

// Query selects lines.
type Query struct {
	Tail   int       // at most the last n lines (of those that match), -1 for all
	Since  time.Time // not before, zero for no bound; lines of unknown time count where their neighbours do
	After  Address   // from this address on, zero for no bound; where it is gone, from the oldest line left
	Before Address   // no line that begins here or later, zero for no bound; where it is gone, there are none
	Run    time.Time // only what the run has written that began then, to the millisecond, instead of Since, After and Before; zero for any
	Bytes  int64     // with Tail and without Grep: no more lines than fit into so many bytes, but at least one; 0 for no bound
	Grep   *regexp.Regexp
	Follow bool // go on with new lines until the context ends
	Place  bool // begin with an empty Line, Partial, that only says where the answer begins

	// MaxLag, for a follower that only wants to see the present: when more
	// than so many bytes wait for it, it goes on where an eighth of them are
	// left. The gap shows as an Address that is not the Next before it. 0 never
	// skips.
	MaxLag int64
}
