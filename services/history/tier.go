package history

import (
	"time"

	"tend/services"
)

// tier is a kind of chunks. Times are in seconds.
type tier struct {
	number int64 // in keys
	step   int64 // of a sample
	span   int64 // of a chunk
	keep   int64
}

const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour
)

// The tiers. What is in the journal is not in the others yet.
var (
	journal = tier{0, int64(services.FineStep / time.Second), minute, 0}
	fine    = tier{1, int64(services.FineStep / time.Second), hour, day + hour}
	medium  = tier{2, int64(services.MediumStep / time.Second), hour, 7*day + hour}
	coarse  = tier{3, int64(services.CoarseStep / time.Second), day, 366 * day}
)

// rollups lists the tiers that are made of the journal, finest first.
var rollups = [...]tier{fine, medium, coarse}

// A key of a chunk has the tier above, then its first minute since 1970, and
// the number of its server below. So chunks of one time are neighbours, and
// those of one server are a fixed distance apart.
const (
	serverBits = 20
	tierShift  = 56
	mostKeys   = 1 << serverBits
	latest     = 1 << (tierShift - serverBits) * minute // of a chunk, in seconds
)

// key returns the key of the chunk of a server that begins at a time.
func (t tier) key(begin, server int64) int64 {
	return t.number<<tierShift | begin/minute<<serverBits | server
}

// distance is how far apart the keys of consecutive chunks are.
func (t tier) distance() int64 { return t.span / minute << serverBits }

// beginOf is when a chunk begins, from its key.
func beginOf(key int64) int64 { return key & (1<<tierShift - 1) >> serverBits * minute }
