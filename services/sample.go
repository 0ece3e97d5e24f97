package services

import (
	"encoding/json"
	"time"
)

// Sample is what the whole process tree of a server used at one instant, or
// over one span of time.
type Sample struct {
	At        Time    `json:"at"` // the instant, or the beginning of the span
	State     Vigour  `json:"state"`
	CPU       float64 `json:"cpu"`    // percent of a core, mean since the sample before or over the span
	CPUMax    float64 `json:"cpuMax"` // over the span; CPU where it is an instant
	Memory    Amount  `json:"memory"` // bytes, the mean over the span
	MemoryMax Amount  `json:"memoryMax"`
	Read      Amount  `json:"read"`  // bytes a second from storage
	Write     Amount  `json:"write"` // bytes a second to storage
	Processes Amount  `json:"processes"`
	Threads   Amount  `json:"threads"`
	Files     Amount  `json:"files"` // open descriptors
}

// Amount is a number that is null in JSON where it is not known, that is
// negative.
type Amount int64

// Unknown is the Amount that nobody could measure.
const Unknown Amount = -1

// MarshalJSON writes null for what is not known.
func (a Amount) MarshalJSON() ([]byte, error) {
	if a < 0 {
		return []byte("null"), nil
	}
	return json.Marshal(int64(a))
}

// UnmarshalJSON reads what MarshalJSON writes.
func (a *Amount) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*a = Unknown
		return nil
	}
	return json.Unmarshal(b, (*int64)(a))
}

// Vigour is how well a server was at one instant, or at the worst instant of a
// span: of two the larger is the worse.
type Vigour uint8

// The vigours.
const (
	VigourNone      Vigour = iota // not known: no manager looked, or it was on its way up
	VigourDown                    // not running, as wanted
	VigourUp                      // runs and is well, as far as anybody can tell
	VigourUnhealthy               // runs, but a check fails
	VigourBroken                  // should run and does not
)

var vigours = [...]string{"none", "down", "up", "unhealthy", "broken"}

func (v Vigour) String() string {
	if int(v) >= len(vigours) {
		return vigours[VigourNone]
	}
	return vigours[v]
}

// MarshalText writes the word.
func (v Vigour) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads the word; one it does not know is VigourNone.
func (v *Vigour) UnmarshalText(text []byte) error {
	*v = VigourNone
	for i, word := range vigours {
		if word == string(text) {
			*v = Vigour(i)
		}
	}
	return nil
}

// VigourOf says how well a server is.
func VigourOf(s *Status) Vigour {
	switch {
	case s.Phase == Running && s.Healthy != nil && !*s.Healthy:
		return VigourUnhealthy
	case s.PID != 0:
		return VigourUp
	case s.Phase == Failed, s.Phase == BackOff:
		return VigourBroken
	case s.Want == Up && s.Phase != Exited:
		return VigourNone // on its way
	}
	return VigourDown
}

// The roll-ups of samples: how fine they are, and for how long each is kept.
const (
	FineStep   = 15 * time.Second // for a day
	MediumStep = time.Minute      // for a week
	CoarseStep = 15 * time.Minute // for a year
)

// MemoryKind says what the bytes of memory are.
type MemoryKind string

// The kinds of memory.
const (
	// MemoryCgroup is what the run's processes have asked for, in memory and
	// in tmpfs, as their cgroup counts it: shared pages once, and no page
	// cache, which the kernel takes back when it needs it.
	MemoryCgroup MemoryKind = "cgroup"
	// MemoryRSS is the sum of the resident sets: pages that processes share
	// count in each of them.
	MemoryRSS MemoryKind = "rss"
)
