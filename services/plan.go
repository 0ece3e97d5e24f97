package services

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Plan is what a reload of the configuration would do, server by server.
type Plan struct {
	Add       []Change `json:"add"`
	Remove    []Change `json:"remove"`  // stopped, then forgotten
	Restart   []Change `json:"restart"` // if it runs
	Update    []Change `json:"update"`  // applies at once, without a restart
	Unchanged []string `json:"unchanged"`
	Also      []string `json:"also"`  // what else applies at once, a sentence each
	Later     []string `json:"later"` // what only the next manager will use, a sentence each
}

// ID tells this plan from every other one.
func (p Plan) ID() string {
	text, err := json.Marshal(p)
	if err != nil {
		panic("encode a plan: " + err.Error()) // strings always encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// Change is what a plan does to one server, and why.
type Change struct {
	Server  string   `json:"server"`
	Reasons []string `json:"reasons"` // one for each field; no secret is in them
}

// Empty reports whether the plan changes nothing.
func (p Plan) Empty() bool {
	return len(p.Add)+len(p.Remove)+len(p.Restart)+len(p.Update)+len(p.Also) == 0
}
