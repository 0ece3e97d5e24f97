package config

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"tend/services"
)

// serverKeys are the keys of a server. A test compares them with what is really
// read.
var serverKeys = []string{
	"autostart", "backoff", "command", "depends_on", "description", "dir", "env", "env_file", "group",
	"limits", "live", "logs", "overlap", "port", "ready", "restart", "schedule", "silence", "stop", "success", "thresholds",
	"timezone", "type", "umask", "user", "watchdog",
}

// base is a server of which the file says nothing.
func base(dir string) services.Server {
	return services.Server{
		Dir:       dir,
		Umask:     -1,
		Autostart: true,
		Type:      services.Service,
		Schedule:  services.Schedule{Overlap: services.OverlapSkip},
		Restart:   services.RestartOnFailure,
		Backoff:   services.Backoff{Min: 100 * time.Millisecond, Max: 30 * time.Second, Reset: time.Minute},
		Stop:      services.StopPolicy{Signal: syscall.SIGTERM, Timeout: 10 * time.Second, To: services.ToGroup},
		Logs:      services.LogPolicy{MaxSize: 64_000_000},
	}
}

// draft is a server that is being read, with the places that the checks of
// the whole need.
type draft struct {
	services.Server
	at        place
	portAt    place
	backoffAt place
	depends   []dependency
	timing    timing
	origin    origin

	watchdogAt place
}

// config reads the root of the file.
func (d *decoder) config(root *node, c *Config) {
	if root == nil {
		root = &node{at: place{1, 1}, kind: object}
	}
	if root.kind != object {
		d.add(root.at, "", "a configuration is a map that begins with servers:, not %s", found(root))
		return
	}
	model := draft{Server: base(c.Dir)}
	var listenAt place
	var mentioned []named
	var servers *node
	known := fields{
		"listen":   func(n *node) { listenAt = n.at; d.listen(n, &c.Listen) },
		"data":     func(n *node) { d.path(n, "data", dataDir, &c.Data) },
		"defaults": func(n *node) { d.server(n, "defaults", &model) },
		"servers":  func(n *node) { servers = n },
		"tls":      func(n *node) { d.tls(n, &c.TLS) },
		"exit_on": func(n *node) {
			if name, ok := d.word(n, "exit_on", "api"); ok {
				c.ExitOn = name
				mentioned = append(mentioned, named{name, "exit_on", n.at})
			}
		},
		"auth":   func(n *node) { d.auth(n, &c.Auth) },
		"hosts":  func(n *node) { d.hosts(n, &c.Hosts) },
		"alerts": func(n *node) { mentioned = append(mentioned, d.alerts(n, &c.Alerts)...) },
		"history": func(n *node) {
			d.object(n, "history", fields{"keep": func(n *node) { d.days(n, "history.keep", &c.History.Keep) }})
		},
		"monitor": func(n *node) {
			d.object(n, "monitor", fields{
				"interval": func(n *node) { d.duration(n, "monitor.interval", 10*time.Millisecond, &c.Monitor.Interval) },
			})
		},
	}
	for _, e := range root.entries {
		if strings.HasPrefix(e.key, "x-") { // a place for anchors
			known[e.key] = func(*node) {}
		}
	}
	d.object(root, "", known)
	drafts := d.servers(root, servers, model)
	d.check(drafts, c.Listen, listenAt)
	d.checkNamed(drafts, mentioned)
	c.origins = make(map[string]origin, len(drafts))
	for _, s := range drafts {
		c.Servers = append(c.Servers, s.Server)
		c.origins[s.Name] = s.origin
	}
}

// servers reads every server, each beginning as a copy of the defaults.
func (d *decoder) servers(root, n *node, model draft) []*draft {
	const example = "write one, such as  servers: {web: {command: ./web}}"
	switch {
	case n == nil:
		d.add(root.at, "", "there is no server in this file: %s", example)
		return nil
	case n.kind == null || n.kind == object && len(n.entries) == 0:
		d.add(n.at, "servers", "is empty: %s", example)
		return nil
	case n.kind != object:
		d.wants(n, "servers", "a map of names, such as  servers: {web: {command: ./web}}")
		return nil
	}
	model.backoffAt, model.timing = place{}, timing{} // their own problems were reported where defaults are
	model.origin = origin{defaults: model.origin.server, raw: model.origin.raw}
	for i := range model.depends {
		model.depends[i].inherited = true
	}
	var out []*draft
	for _, e := range n.entries {
		if !services.ValidName(e.key) {
			d.add(e.at, "", "%s cannot name a server: a name has up to 63 small letters, digits, - and _, and begins with a letter or digit", quoteCut(e.key, `"`))
			continue
		}
		s := model
		s.Name, s.at = e.key, e.at
		if !d.spend(e.at, len(model.Env)+len(model.Secrets)+len(model.Command.Argv)+len(model.depends)+len(model.Thresholds)) {
			break
		}
		s.Env, s.origin.raw = maps.Clone(model.Env), maps.Clone(model.origin.raw)
		s.Secrets = maps.Clone(model.Secrets)
		s.Command.Argv = slices.Clone(model.Command.Argv)
		s.Thresholds = slices.Clone(model.Thresholds)
		s.Success = services.Success{Codes: slices.Clone(model.Success.Codes), Signals: slices.Clone(model.Success.Signals)}
		if e.value.kind != null {
			d.server(e.value, e.key, &s)
		}
		d.checkTask(&s, e.key+": ")
		d.checkProbes(&s, e.key+": ")
		given := e.value.kind != null && (e.value.kind != object || hasKey(e.value, "command"))
		if !given && len(model.Command.List()) == 0 {
			d.add(e.at, e.key+":", "has no command: write command: ./program --option")
		}
		out = append(out, &s)
	}
	return out
}

func hasKey(n *node, key string) bool {
	return slices.ContainsFunc(n.entries, func(e entry) bool { return e.key == key })
}

// server reads the keys of one server, or of the defaults, into s.
func (d *decoder) server(n *node, name string, s *draft) {
	if n.kind != object {
		d.wants(n, name+":", "a map such as {command: ./program}")
		return
	}
	d.written = make(map[string]int, len(n.entries))
	d.object(n, name, d.serverFields(name, s))
	s.origin.server, d.written = d.written, nil
	if b := s.Backoff; b.Min > b.Max && s.backoffAt != (place{}) {
		d.add(s.backoffAt, name+": backoff", "has a min (%s) above its max (%s): swap them, or raise max", b.Min, b.Max)
	}
}

func (d *decoder) serverFields(name string, s *draft) fields {
	label := func(key string) string { return name + ": " + key }
	return fields{
		"command":     func(n *node) { d.command(n, label("command"), &s.Command) },
		"description": func(n *node) { d.line(n, label("description"), &s.Description) },
		"group":       func(n *node) { d.line(n, label("group"), &s.Group) },
		"dir":         func(n *node) { d.path(n, label("dir"), "./api", &s.Dir) },
		"env_file":    func(n *node) { d.path(n, label("env_file"), ".env", &s.EnvFile) },
		"env":         func(n *node) { d.env(n, label("env"), s) },
		"user":        func(n *node) { d.user(n, label("user"), &s.User) },
		"umask":       func(n *node) { d.umask(n, label("umask"), &s.Umask) },
		"autostart":   func(n *node) { d.truth(n, label("autostart"), &s.Autostart) },
		"depends_on":  func(n *node) { d.dependsOn(n, label("depends_on"), s) },
		"success":     func(n *node) { d.success(n, label("success"), &s.Success) },
		"stop":        func(n *node) { d.stop(n, label("stop"), &s.Stop) },
		"backoff":     func(n *node) { s.backoffAt = n.at; d.backoff(n, label("backoff"), &s.Backoff) },
		"type": func(n *node) {
			choice(d, n, label("type"), &s.Type, services.Service, services.Task)
		},
		"schedule": func(n *node) { d.schedule(n, label("schedule"), s) },
		"timezone": func(n *node) { d.zone(n, label("timezone"), s) },
		"overlap": func(n *node) {
			s.timing.overlapAt = n.at
			choice(d, n, label("overlap"), &s.Schedule.Overlap, services.OverlapSkip, services.OverlapQueue, services.OverlapKill)
		},
		"thresholds": func(n *node) { d.thresholds(n, label("thresholds"), &s.Thresholds) },
		"ready":      func(n *node) { d.probe(n, label("ready"), false, &s.Ready) },
		"live":       func(n *node) { d.probe(n, label("live"), true, &s.Live) },
		"watchdog":   func(n *node) { s.watchdogAt = n.at; d.pulse(n, label("watchdog"), 10*time.Millisecond, &s.Watchdog) },
		"silence":    func(n *node) { d.pulse(n, label("silence"), time.Second, &s.Silence) },
		"restart": func(n *node) {
			s.timing.restartAt = n.at
			choice(d, n, label("restart"), &s.Restart, services.RestartAlways, services.RestartOnFailure, services.RestartNever)
		},
		"port": func(n *node) {
			if port, ok := d.number(n, label("port"), 1, 65535); ok {
				s.Port, s.portAt = int(port), n.at
			}
		},
		"logs": func(n *node) {
			d.object(n, label("logs"), fields{
				"max_size": func(n *node) { d.size(n, label("logs.max_size"), 64_000, &s.Logs.MaxSize) },
			})
		},
		"limits": func(n *node) { d.limits(n, label("limits"), &s.Limits) },
	}
}

// line reads text for people that is shown in one line.
func (d *decoder) line(n *node, label string, into *string) {
	if value, ok := d.word(n, label, "public API"); ok {
		*into = strings.Join(strings.Fields(value), " ")
	}
}

// command reads a list that runs as it is, or a line for the shell.
func (d *decoder) command(n *node, label string, into *services.Command) {
	if n.kind != list {
		shell, ok := d.text(n, label, "./program --option")
		if ok && strings.TrimSpace(shell) == "" {
			d.add(n.at, label, "is empty: write command: ./program --option")
		} else if ok {
			*into = services.Command{Shell: shell}
		}
		return
	}
	argv := make([]string, 0, len(n.items))
	if !d.spend(n.at, len(n.items)) {
		return
	}
	for _, item := range n.items {
		word, ok := d.word(item, label, "--option")
		if ok {
			argv = append(argv, word)
		}
	}
	switch {
	case len(argv) < len(n.items): // reported
	case len(argv) == 0 || argv[0] == "":
		d.add(n.at, label, "has no program: the first word of the list is what is run, such as [./program, --option]")
	default:
		*into = services.Command{Argv: argv}
	}
}

func (d *decoder) env(n *node, label string, s *draft) {
	if n.kind != object {
		d.wants(n, label, "a map such as {LOG_LEVEL: debug}")
		return
	}
	if !d.spend(n.at, len(n.entries)) {
		return
	}
	for _, e := range n.entries {
		key := label + "." + quoteCut(e.key, "")
		switch {
		case e.key == "" || strings.ContainsAny(e.key, "=\x00"):
			d.add(e.at, label, "has the name %s, which no variable can have: write NAME: value", quoteCut(e.key, `"`))
		case e.value.kind == object:
			if secret, ok := d.secret(e.value, key); ok {
				if s.Secrets == nil {
					s.Secrets = map[string]services.Secret{}
				}
				s.Secrets[e.key] = secret
				delete(s.Env, e.key) // of the defaults
			}
		case e.value.kind == null:
			d.add(e.at, key, `has no value: write "" for an empty one, or remove it`)
		default:
			value, ok := d.word(e.value, key, "debug")
			if !ok {
				continue
			}
			if s.Env == nil {
				s.Env = map[string]string{}
			}
			s.Env[e.key] = value
			d.note(key, e.at)
			s.origin.asWritten(e.key, e.value.text)
			delete(s.Secrets, e.key) // of the defaults
		}
	}
}

func (d *decoder) user(n *node, label string, into *string) {
	value, ok := d.plain(n, label, "a user's name or number", text, integer)
	switch {
	case !ok:
	case value == "" || strings.ContainsAny(value, ": \t\n"):
		d.add(n.at, label, "wants a user's name or number, not %s", quoteCut(value, `"`))
	default:
		*into = value
	}
}

var octal = regexp.MustCompile(`^0?[0-7]{1,3}$`)

func (d *decoder) umask(n *node, label string, into *int) {
	if n.kind == integer {
		if digits := strings.TrimPrefix(n.text, "0o"); octal.MatchString(digits) {
			d.add(n.at, label, `is octal and wants quotes, since YAML reads numbers in its own way: write "%s"`, digits)
			return
		}
		d.add(n.at, label, `wants up to three octal digits in quotes such as "027", not %s`, quoteCut(n.text, ""))
		return
	}
	value, ok := d.text(n, label, `"027"`)
	if !ok {
		return
	}
	if !octal.MatchString(value) {
		d.add(n.at, label, `wants up to three octal digits such as "027", not %s`, quoteCut(value, `"`))
		return
	}
	mask, _ := strconv.ParseInt(value, 8, 32) // the pattern leaves no error
	*into = int(mask)
}
