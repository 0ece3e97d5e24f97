package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"tend/services"
)

// Digest identifies how a server is run: two servers with the same digest
// start the same process in the same surroundings. What is only about its
// management (policies, names, dependencies, the port that is checked) is not
// in it, since that applies at once and needs no restart.
//
// Values that were left at their default are not in it either, so that a key
// of a later version does not make every running server look changed.
func Digest(s services.Server) string {
	text, err := json.Marshal(howOf(s))
	if err != nil {
		panic("encode a server: " + err.Error()) // strings and numbers always encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// how is what decides how a server runs.
type how struct {
	Argv    []string                   `json:"argv,omitempty"`
	Shell   string                     `json:"shell,omitempty"`
	Dir     string                     `json:"dir,omitempty"`
	Env     map[string]string          `json:"env,omitempty"` // encoded in the order of the keys
	EnvFile string                     `json:"env_file,omitempty"`
	Secrets map[string]services.Secret `json:"secrets,omitempty"` // where they come from: a digest of a value would let it be guessed
	User    string                     `json:"user,omitempty"`
	Umask   int                        `json:"umask,omitempty"` // plus one: 0 is what is kept
	NoFile  uint64                     `json:"nofile,omitempty"`
	Memory  int64                      `json:"memory,omitempty"`
	CPU     float64                    `json:"cpu,omitempty"`
	PIDs    int                        `json:"pids,omitempty"`
	Nice    int                        `json:"nice,omitempty"`
	Notify  bool                       `json:"notify,omitempty"` // which gives it a socket
	Dog     time.Duration              `json:"watchdog,omitempty"`
}

func howOf(s services.Server) how {
	return how{
		s.Command.Argv, s.Command.Shell, s.Dir, s.Env, s.EnvFile, s.Secrets, s.User, s.Umask + 1,
		s.Limits.NoFile, s.Limits.Memory, s.Limits.CPU, s.Limits.PIDs, s.Limits.Nice, s.Notifies(), s.Watchdog.Every,
	}
}

// server is a server that runs like this.
func (h how) server() services.Server {
	out := services.Server{
		Command: services.Command{Argv: h.Argv, Shell: h.Shell}, Dir: h.Dir, Env: h.Env, EnvFile: h.EnvFile, Secrets: h.Secrets, User: h.User, Umask: h.Umask - 1,
		Limits: services.Limits{NoFile: h.NoFile, Memory: h.Memory, CPU: h.CPU, PIDs: h.PIDs, Nice: h.Nice}, Watchdog: services.Pulse{Every: h.Dog},
	}
	if h.Notify {
		out.Ready = &services.Probe{Notify: true}
	}
	return out
}
