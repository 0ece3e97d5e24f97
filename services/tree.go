package services

// TreeProcess is one process of a server's tree.
type TreeProcess struct {
	PID       int     `json:"pid"`
	Parent    int     `json:"parent"` // its pid; it may be outside of the tree
	Command   string  `json:"command"`
	State     string  `json:"state"` // running, sleeping, waiting (for a disk), stopped or zombie
	StartedAt Time    `json:"startedAt"`
	CPU       float64 `json:"cpu"` // seconds of a core that it has used
	Memory    Amount  `json:"memory"`
	Threads   Amount  `json:"threads"`
}
