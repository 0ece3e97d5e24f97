package model

import (
	"hash/maphash"
	"time"

	"tend/services"
)

// useSpan is how far back the pictures of the overview go.
const useSpan = 10 * time.Minute

// Use is what a server uses now, with a picture of the last minutes.
type Use struct {
	ID          string
	Rev         string
	CPU, Memory Spark
	Strip       RowStrip
}

// mostSparks is how many servers have pictures of what they used: of more a
// page would be large and slow, and nobody could compare them.
const mostSparks = 250

// Lately is what somebody remembers of what servers used.
type Lately interface {
	Len() int                              // how many servers are known
	Newest(server string) *services.Sample // nil for none
	Rev(server string) uint64              // of the newest
	Of(server string) []services.Sample    // the oldest first
	Strip(server string, now time.Time) [StripSlots]services.Vigour
}

// UseOf makes the view of what a server used lately.
func UseOf(id string, lately Lately, now time.Time) Use {
	out := Use{ID: id, Strip: NewRowStrip(lately.Strip(id, now), now)}
	newest := lately.Newest(id)
	if newest != nil {
		out.Rev = utoa(lately.Rev(id))
	}
	if lately.Len() > mostSparks {
		out.CPU, out.Memory = Plain(newest, MeasureCPU), Plain(newest, MeasureMemory)
		return out
	}
	samples, from := lately.Of(id), now.Add(-useSpan)
	out.CPU, out.Memory = NewSpark(samples, MeasureCPU, from, now), NewSpark(samples, MeasureMemory, from, now)
	return out
}

// looks is the seed of Looks, of this life of the program.
var looks = maphash.MakeSeed()

// Looks is equal for what looks equal, whenever it was measured.
func (u Use) Looks() uint64 {
	var h maphash.Hash
	h.SetSeed(looks)
	for _, s := range []Spark{u.CPU, u.Memory} {
		for _, text := range []string{s.Value, s.Line, s.Area} {
			h.WriteString(text) //nolint:errcheck // a hash takes everything
			h.WriteByte(0)      //nolint:errcheck // likewise
		}
	}
	for _, cells := range u.Strip.Cells {
		h.WriteString(cells.Class + cells.Path) //nolint:errcheck // likewise
	}
	return h.Sum64()
}
