package config

import (
	"os"
	"path/filepath"
	"time"

	"tend/services"
)

// Config is a configuration file that was read and found good. Nobody changes
// it afterwards.
type Config struct {
	Path    string // absolute
	Dir     string // the directory of Path: what relative paths are relative to
	Data    string // absolute; where state, logs and history live
	Listen  string // address and port of the dashboard and REST
	TLS     TLS
	Monitor Monitor
	History History
	Alerts  []services.AlertRule
	Auth    Auth
	Hosts   []string          // names, beside localhost and its addresses, by which the dashboard is reached
	ExitOn  string            // the server whose end ends the manager, empty for none
	Servers []services.Server // in the order of the file

	origins map[string]origin // by the names of the servers; only LoadToExplain keeps them
}

// Monitor says how often servers are checked.
type Monitor struct {
	Interval time.Duration
}

// Auth says who needs no login.
type Auth struct {
	Local LocalAuth
}

// LocalAuth is how the manager's own user comes in on a loopback address.
type LocalAuth string

// The ways for the manager's own user.
const (
	LocalOperator LocalAuth = "operator" // as an operator, without a login
	LocalLogin    LocalAuth = "login"    // as everybody else
)

// History says how long what happened is kept.
type History struct {
	Keep time.Duration // events and runs
}

// Defaults of what the file does not say.
const (
	DefaultListen   = "127.0.0.1:3030"
	DefaultInterval = 3 * time.Second
	DefaultKeep     = 30 * 24 * time.Hour
	dataDir         = ".tend"
)

// Load reads and validates a configuration. Everything that is wrong with the
// file comes at once as Problems, whose kind is Invalid.
func Load(path string) (*Config, error) {
	return LoadWith(path, os.LookupEnv)
}

// LoadWith is Load with another environment for ${VAR}.
func LoadWith(path string, lookup Lookup) (*Config, error) {
	return LoadChecked(path, lookup, nil)
}

// LoadChecked is LoadWith that asks notify, too, what is wrong with the address
// of a notification service. What it says must not hold the address.
func LoadChecked(path string, lookup Lookup, notify func(address string) error) (*Config, error) {
	c, err := load(path, lookup, notify)
	if err == nil {
		c.origins = nil
	}
	return c, err
}

// LoadToExplain is LoadWith, for Explain: it remembers where in the file each
// value stands.
func LoadToExplain(path string, lookup Lookup) (*Config, error) {
	return load(path, lookup, nil)
}

func load(path string, lookup Lookup, notify func(address string) error) (*Config, error) {
	data, err := open(path)
	if err != nil {
		return nil, Problems{{File: path, Msg: err.Error()}}
	}
	return read(path, data, lookup, notify)
}

// read turns the text of a file into a Config.
func read(path, data string, lookup Lookup, notify func(address string) error) (*Config, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, Problems{{File: path, Msg: "has no absolute path: " + err.Error()}}
	}
	r := &report{file: path}
	c := &Config{
		Path:    absolute,
		Dir:     filepath.Dir(absolute),
		Data:    filepath.Join(filepath.Dir(absolute), dataDir),
		Listen:  DefaultListen,
		Monitor: Monitor{Interval: DefaultInterval},
		History: History{Keep: DefaultKeep},
		Auth:    Auth{Local: LocalOperator},
	}
	if data, ok := clean(data, r); ok {
		if root := parse(data, r); root != nil || len(r.list) == 0 {
			d := decoder{report: r, lookup: lookup, checkNotify: notify, dir: c.Dir}
			d.config(root, c)
		}
	}
	if err := r.err(); err != nil {
		return nil, err
	}
	return c, nil
}
