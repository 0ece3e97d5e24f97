package services

// Setting is one key of what a server is configured to do, with the value that
// is in force.
type Setting struct {
	Key   string // as the file has it, with dots: "stop.timeout"
	Value string // as people write it, "" for nothing
	Held  bool   // the value may be a secret: Value does not have it
	From  Origin
}

// Origin is where a value was written.
type Origin struct {
	Kind OriginKind
	Line int // of the file, 0 where it is not in there
}

// OriginKind says which part of the file a value was written in.
type OriginKind string

// The origin kinds.
const (
	FromServer   OriginKind = "server"   // with the server
	FromDefaults OriginKind = "defaults" // with the defaults of the file
	FromNowhere  OriginKind = "nowhere"  // it is what holds where the file says nothing
	FromBefore   OriginKind = "before"   // the file, as it is now, says something else or cannot be read
)

// Difference is a key whose value a run was started with is not the one that
// is configured now.
type Difference struct {
	Key     string
	Was, Is string // "" for nothing; of the environment they do not tell the values
}

// Settings are everything that a server is configured to do.
type Settings struct {
	File  string // path of the configuration
	List  []Setting
	Drift []Difference // between the present run and the file
	Lost  bool         // there is a drift, but nobody knows any more how the run was started
}
