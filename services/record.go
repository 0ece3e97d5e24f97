package services

// Record is what has to survive the manager for one server: all that the next
// one needs in order to go on as if nothing had happened.
type Record struct {
	Name     string `json:"name"`
	Want     Want   `json:"want"`
	Phase    Phase  `json:"phase"`
	Run      *Run   `json:"run,omitempty"` // nil: no process of it was alive
	Exit     *Exit  `json:"exit,omitempty"`
	Restarts int    `json:"restarts,omitempty"`
	Failures int    `json:"failures,omitempty"` // consecutive, for the backoff
	Why      string `json:"why,omitempty"`
	Rev      uint64 `json:"rev"`
	Daemon   string `json:"daemon,omitempty"` // digest of the command that has become a daemon
}
