package config

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tend/services"
)

// origin is what the file says of the keys of one server, beside their values.
type origin struct {
	server, defaults map[string]int    // the line of each key that is written, "stop.timeout"
	raw              map[string]string // values of the environment as they are written, where they name variables
}

// of returns where a key was written. A check is taken as a whole: where a
// server has one, nothing of that in the defaults shows through.
func (o origin) of(key string) services.Origin {
	if line, written := o.server[key]; written {
		return services.Origin{Kind: services.FromServer, Line: line}
	}
	top, _, _ := strings.Cut(key, ".")
	if _, written := o.server[top]; written && (top == "ready" || top == "live") {
		return services.Origin{Kind: services.FromNowhere}
	}
	if line, written := o.defaults[key]; written {
		return services.Origin{Kind: services.FromDefaults, Line: line}
	}
	return services.Origin{Kind: services.FromNowhere}
}

// Explain lists everything that a server is configured to do, in the order in
// which people ask: what runs, when, how it is checked, how it ends, what is
// kept. What may be a secret is not in it. Where the values are from is known
// as far as the file, read by LoadToExplain, says the same; nil for a file that
// cannot be read.
func Explain(s services.Server, file *Config) []services.Setting {
	var then services.Server
	var from origin
	if file != nil {
		for _, one := range file.Servers {
			if one.Name == s.Name {
				then, from = one, file.origins[s.Name]
			}
		}
	}
	var out []services.Setting
	add := func(key, value string, same bool) *services.Setting {
		out = append(out, services.Setting{Key: key, Value: value, From: services.Origin{Kind: services.FromBefore}})
		if same && then.Name != "" {
			out[len(out)-1].From = from.of(key)
		}
		return &out[len(out)-1]
	}
	for _, key := range explained {
		if key.name == "env" {
			for _, name := range slices.Sorted(maps.Keys(s.Env)) {
				value := s.Env[name]
				then, there := then.Env[name]
				one := add("env."+name, "", there && then == value)
				if raw := from.raw[name]; raw != "" && then == value {
					value = raw
				}
				if one.Held = mayBeSecret(name, value); !one.Held {
					one.Value = value
				}
			}
			for _, name := range slices.Sorted(maps.Keys(s.Secrets)) {
				add("env."+name, source(s.Secrets[name]), source(s.Secrets[name]) == source(then.Secrets[name]))
			}
			continue
		}
		if value := key.show(&s); value != "" {
			add(key.name, value, value == key.show(&then))
		}
	}
	return out
}

// source says where a secret comes from.
func source(s services.Secret) string {
	if s.File != "" {
		return "secret from the file " + s.File
	}
	return "secret from the command " + line(s.Command)
}

// shown is a key and how its value is written.
type shown struct {
	name string
	show func(s *services.Server) string
}

// explained is every key that a server has, in their order.
var explained = slices.Concat([]shown{
	{"command", func(s *services.Server) string {
		if s.Command.Shell != "" {
			return s.Command.Shell
		}
		return line(s.Command.Argv)
	}},
	{"dir", func(s *services.Server) string { return s.Dir }},
	{"env", nil},
	{"env_file", func(s *services.Server) string { return s.EnvFile }},
	{"user", func(s *services.Server) string { return s.User }},
	{"umask", func(s *services.Server) string {
		if s.Umask < 0 {
			return ""
		}
		return fmt.Sprintf("%03o", s.Umask)
	}},
	{"limits.memory", func(s *services.Server) string { return amount(s.Limits.Memory) }},
	{"limits.cpu", func(s *services.Server) string { return percent(s.Limits.CPU) }},
	{"limits.pids", func(s *services.Server) string { return number(s.Limits.PIDs) }},
	{"limits.nofile", func(s *services.Server) string { return number(int(s.Limits.NoFile)) }},
	{"limits.nice", func(s *services.Server) string { return number(s.Limits.Nice) }},
	{"description", func(s *services.Server) string { return s.Description }},
	{"group", func(s *services.Server) string { return s.Group }},
	{"type", func(s *services.Server) string { return string(s.Type) }},
	{"port", func(s *services.Server) string { return number(s.Port) }},
	{"depends_on", dependencies},
	{"autostart", func(s *services.Server) string { return strconv.FormatBool(s.Autostart) }},
	{"schedule", func(s *services.Server) string { return s.Schedule.Cron }},
	{"timezone", func(s *services.Server) string { return s.Schedule.Zone }},
	{"overlap", func(s *services.Server) string {
		if s.Schedule.Cron == "" {
			return ""
		}
		return string(s.Schedule.Overlap)
	}},
},
	checkKeys("ready", func(s *services.Server) *services.Probe { return s.Ready }),
	checkKeys("live", func(s *services.Server) *services.Probe { return s.Live }),
	[]shown{
		{"watchdog", func(s *services.Server) string { return lasting(s.Watchdog.Every) }},
		{"watchdog.action", func(s *services.Server) string { return string(s.Watchdog.Action) }},
		{"silence", func(s *services.Server) string { return lasting(s.Silence.Every) }},
		{"silence.action", func(s *services.Server) string { return string(s.Silence.Action) }},
		{"thresholds", thresholds},
		{"restart", func(s *services.Server) string { return string(s.Restart) }},
		{"success", successes},
		{"backoff.min", func(s *services.Server) string { return lasting(s.Backoff.Min) }},
		{"backoff.max", func(s *services.Server) string { return lasting(s.Backoff.Max) }},
		{"backoff.reset", func(s *services.Server) string { return lasting(s.Backoff.Reset) }},
		{"backoff.give_up", func(s *services.Server) string {
			if s.Backoff.GiveUp == 0 {
				return "never"
			}
			return number(s.Backoff.GiveUp)
		}},
		{"stop.signal", func(s *services.Server) string { return services.SignalName(s.Stop.Signal) }},
		{"stop.timeout", func(s *services.Server) string { return lasting(s.Stop.Timeout) }},
		{"stop.to", func(s *services.Server) string { return string(s.Stop.To) }},
		{"logs.max_size", func(s *services.Server) string { return amount(s.Logs.MaxSize) }},
	})

// checkKeys are the keys of a check. The headers of a request and the user and
// the query of its address, in which secrets are, are not told.
func checkKeys(name string, of func(s *services.Server) *services.Probe) []shown {
	key := func(key string, show func(p *services.Probe) string) shown {
		return shown{name + "." + key, func(s *services.Server) string {
			if p := of(s); p != nil {
				return show(p)
			}
			return ""
		}}
	}
	return []shown{
		key("tcp", func(p *services.Probe) string { return p.TCP }),
		key("http", func(p *services.Probe) string {
			if p.HTTP == nil {
				return ""
			}
			u, err := url.Parse(p.HTTP.URL)
			if err != nil {
				return ""
			}
			return u.Scheme + "://" + u.Host + u.Path
		}),
		key("headers", func(p *services.Probe) string {
			if p.HTTP == nil {
				return ""
			}
			return strings.Join(slices.Sorted(maps.Keys(p.HTTP.Headers)), ", ")
		}),
		key("exec", func(p *services.Probe) string { return line(p.Exec) }),
		key("log", func(p *services.Probe) string { return p.Log }),
		key("notify", func(p *services.Probe) string {
			if !p.Notify {
				return ""
			}
			return "true"
		}),
		key("delay", func(p *services.Probe) string { return lasting(p.Delay) }),
		key("interval", func(p *services.Probe) string { return lasting(p.Interval) }),
		key("timeout", func(p *services.Probe) string { return lasting(p.Timeout) }),
		key("successes", func(p *services.Probe) string { return number(p.Successes) }),
		key("failures", func(p *services.Probe) string { return number(p.Failures) }),
		key("deadline", func(p *services.Probe) string { return lasting(p.Deadline) }),
		key("action", func(p *services.Probe) string { return string(p.Action) }),
	}
}

func dependencies(s *services.Server) string {
	words := make([]string, len(s.DependsOn))
	for i, d := range s.DependsOn {
		words[i] = fmt.Sprintf("%s until %s, when lost %s", d.Name, d.Until, d.WhenLost)
	}
	return strings.Join(words, "; ")
}

func thresholds(s *services.Server) string {
	words := make([]string, len(s.Thresholds))
	for i, t := range s.Thresholds {
		words[i] = "cpu " + percent(t.CPU)
		if t.Memory > 0 {
			words[i] = "memory " + amount(t.Memory)
		}
		words[i] += fmt.Sprintf(" for %v: %s", t.For, t.Action)
	}
	return strings.Join(words, "; ")
}

func successes(s *services.Server) string {
	words := []string{"0"}
	for _, code := range s.Success.Codes {
		if code != 0 {
			words = append(words, strconv.Itoa(code))
		}
	}
	for _, sig := range s.Success.Signals {
		words = append(words, services.SignalName(sig))
	}
	return strings.Join(words, ", ")
}

// line writes words as a person would type them.
func line(words []string) string {
	out := make([]string, len(words))
	for i, word := range words {
		out[i] = word
		if word == "" || strings.ContainsAny(word, " \t\n\"'\\$`") {
			out[i] = strconv.Quote(word)
		}
	}
	return strings.Join(out, " ")
}

// lasting writes a time as the file has it, "1m" and not "1m0s".
func lasting(d time.Duration) string {
	if d == 0 {
		return ""
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// amount writes bytes in the largest unit that is exact.
func amount(n int64) string {
	if n == 0 {
		return ""
	}
	for _, unit := range []struct {
		size int64
		name string
	}{{1e9, "GB"}, {1 << 30, "GiB"}, {1e6, "MB"}, {1 << 20, "MiB"}, {1e3, "kB"}, {1 << 10, "KiB"}} {
		if n%unit.size == 0 {
			return strconv.FormatInt(n/unit.size, 10) + unit.name
		}
	}
	return strconv.FormatInt(n, 10)
}

func percent(share float64) string {
	if share == 0 {
		return ""
	}
	return strconv.FormatFloat(share, 'f', -1, 64) + "%"
}
