package services

import "time"

// Probe is a check of a server. Exactly one of TCP, HTTP, Exec, Log and Notify
// is set.
type Probe struct {
	TCP    string     // host:port that takes connections
	HTTP   *HTTPProbe // an answer as it has to be
	Exec   []string   // a program that exits with 0
	Log    string     // a regular expression that a line of new output matches
	Notify bool       // the server says READY=1 by sd_notify

	Delay     time.Duration // after the start of the run
	Interval  time.Duration
	Timeout   time.Duration
	Successes int           // in a row that make it pass
	Failures  int           // in a row that make it fail
	Deadline  time.Duration // of ready: how long a run may take to pass, 0 for ever
	Action    ProbeAction   // of live
}

// HTTPProbe is a request and the answer that passes.
type HTTPProbe struct {
	URL      string
	Status   []StatusRange // any of these; empty for 200 to 399
	Contains string        // part of the body, empty for any
	Headers  map[string]string
	Insecure bool   // any certificate will do
	CA       string // file with the certificates that vouch for the server's, empty for the system's
}

// StatusRange is the codes from From to To.
type StatusRange struct{ From, To int }

// Pulse is a sign of life that a server gives by itself, and what follows when
// it does not come.
type Pulse struct {
	Every  time.Duration // 0 for never
	Action ProbeAction
}

// ProbeAction is what follows when a live check fails.
type ProbeAction string

// The probe actions.
const (
	ProbeRestart ProbeAction = "restart" // the run is ended as a failure
	ProbeAlert   ProbeAction = "alert"   // somebody is told
	ProbeNone    ProbeAction = "none"    // the page shows it
)

// Notifies reports whether the server is given a socket for sd_notify.
func (s Server) Notifies() bool { return s.Ready != nil && s.Ready.Notify || s.Watchdog.Every > 0 }
