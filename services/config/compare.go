package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"tend/services"
)

// Compare makes the plan of a reload: what has to be done so that the old
// servers become the new ones. drift names those that run with another command
// than the old configuration has. Values of the environment are never in it;
// hide takes secrets out of everything else, such as commands.
func Compare(old, now []services.Server, drift map[string]bool, hide func(string) string) services.Plan {
	plan := services.Plan{Add: []services.Change{}, Remove: []services.Change{}, Restart: []services.Change{}, Update: []services.Change{}, Unchanged: []string{}, Also: []string{}, Later: []string{}}
	before := make(map[string]services.Server, len(old))
	for _, s := range old {
		before[s.Name] = s
	}
	for _, s := range now {
		was, known := before[s.Name]
		delete(before, s.Name)
		if !known {
			plan.Add = append(plan.Add, services.Change{Server: s.Name, Reasons: []string{"new: " + hide(command(s))}})
			continue
		}
		reasons, restart := differences(was, s, hide)
		if drift[s.Name] && !restart {
			restart = true
			reasons = append([]string{"it runs with an earlier command"}, reasons...)
		}
		switch change := (services.Change{Server: s.Name, Reasons: reasons}); {
		case restart:
			plan.Restart = append(plan.Restart, change)
		case len(reasons) > 0:
			plan.Update = append(plan.Update, change)
		default:
			plan.Unchanged = append(plan.Unchanged, s.Name)
		}
	}
	for _, s := range old {
		if _, left := before[s.Name]; left {
			plan.Remove = append(plan.Remove, services.Change{Server: s.Name, Reasons: []string{"not in the file any more"}})
		}
	}
	return plan
}

// field is one thing that the file says of a server.
type field struct {
	key     string // as the file has it
	restart bool   // a run has to be started anew for it
	show    func(services.Server) string
}

// compared is every field there is. A test changes each one and looks whether
// it is noticed here.
var compared = []field{
	{"command", true, command},
	{"dir", true, func(s services.Server) string { return s.Dir }},
	{"env_file", true, func(s services.Server) string { return s.EnvFile }},
	{"user", true, func(s services.Server) string { return s.User }},
	{"umask", true, func(s services.Server) string {
		if s.Umask < 0 {
			return ""
		}
		return fmt.Sprintf("%03o", s.Umask)
	}},
	{"limits", true, limits},
	{"description", false, func(s services.Server) string { return s.Description }},
	{"group", false, func(s services.Server) string { return s.Group }},
	{"port", false, func(s services.Server) string { return number(s.Port) }},
	{"depends_on", false, func(s services.Server) string {
		words := make([]string, len(s.DependsOn))
		for i, d := range s.DependsOn {
			words[i] = fmt.Sprintf("%s until %s, when lost %s", d.Name, d.Until, d.WhenLost)
		}
		return strings.Join(words, "; ")
	}},
	{"autostart", false, func(s services.Server) string { return fmt.Sprint(s.Autostart) }},
	{"type", false, func(s services.Server) string { return string(s.Type) }},
	{"schedule", false, schedule},
	{"restart", false, func(s services.Server) string { return string(s.Restart) }},
	{"success", false, func(s services.Server) string {
		words := make([]string, 0, len(s.Success.Codes)+len(s.Success.Signals))
		for _, code := range s.Success.Codes {
			words = append(words, fmt.Sprint(code))
		}
		for _, sig := range s.Success.Signals {
			words = append(words, services.SignalName(sig))
		}
		return strings.Join(words, ", ")
	}},
	{"backoff", false, func(s services.Server) string {
		b := s.Backoff
		text := fmt.Sprintf("from %v to %v, forgotten after %v", b.Min, b.Max, b.Reset)
		if b.GiveUp > 0 {
			text += fmt.Sprintf(", give up after %d", b.GiveUp)
		}
		return text
	}},
	{"stop", false, func(s services.Server) string {
		return fmt.Sprintf("%s, %v, to the %s", services.SignalName(s.Stop.Signal), s.Stop.Timeout, s.Stop.To)
	}},
	{"socket for notify", true, func(s services.Server) string { return fmt.Sprint(s.Notifies()) }},
	{"watchdog", true, func(s services.Server) string { return span(s.Watchdog.Every) }},
	{"watchdog.action", false, func(s services.Server) string { return string(s.Watchdog.Action) }},
	{"silence", false, func(s services.Server) string { return span(s.Silence.Every) }},
	{"silence.action", false, func(s services.Server) string { return string(s.Silence.Action) }},
	{"ready", false, func(s services.Server) string { return probe(s.Ready) }},
	{"live", false, func(s services.Server) string { return probe(s.Live) }},
	{"thresholds", false, func(s services.Server) string {
		words := make([]string, len(s.Thresholds))
		for i, t := range s.Thresholds {
			words[i] = fmt.Sprintf("cpu %g%%", t.CPU)
			if t.Memory > 0 {
				words[i] = fmt.Sprintf("memory %d bytes", t.Memory)
			}
			words[i] += fmt.Sprintf(" for %v: %s", t.For, t.Action)
		}
		return strings.Join(words, "; ")
	}},
	{"logs", false, func(s services.Server) string { return fmt.Sprintf("%d bytes", s.Logs.MaxSize) }},
}

// differences says what differs, a sentence for each field, and whether a run
// has to be started anew for it.
func differences(was, is services.Server, hide func(string) string) (reasons []string, restart bool) {
	for _, f := range compared {
		old, now := f.show(was), f.show(is)
		if old == now {
			continue
		}
		reasons = append(reasons, fmt.Sprintf("%s: %s → %s", f.key, orNothing(hide(old)), orNothing(hide(now))))
		restart = restart || f.restart
	}
	if names := changedNames(variables(was), variables(is)); len(names) > 0 {
		reasons = append(reasons, "env: "+strings.Join(names, ", "))
		restart = true
	}
	return reasons, restart
}

// variables returns what the file says of each variable: its value, or where
// that comes from.
func variables(s services.Server) map[string]string {
	all := make(map[string]string, len(s.Env)+len(s.Secrets))
	for name, value := range s.Env {
		all[name] = "is " + value
	}
	for name, secret := range s.Secrets {
		all[name] = fmt.Sprintf("is a secret: %+v", secret)
	}
	return all
}

// changedNames lists the variables that differ, without their values: those
// may be secret.
func changedNames(was, is map[string]string) (out []string) {
	all := maps.Clone(was)
	maps.Copy(all, is)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		old, before := was[name]
		now, after := is[name]
		switch {
		case !before:
			out = append(out, name+" added")
		case !after:
			out = append(out, name+" removed")
		case old != now:
			out = append(out, name+" changed")
		}
	}
	return out
}

func command(s services.Server) string {
	if s.Command.Shell != "" {
		return s.Command.Shell
	}
	return fmt.Sprintf("%q", s.Command.Argv)
}

func span(d time.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

// probe shows a check without what may be secret: headers and the address's
// user and query.
func probe(p *services.Probe) string {
	if p == nil {
		return ""
	}
	what := "tcp " + p.TCP
	switch {
	case p.HTTP != nil:
		what = "http"
		if u, err := url.Parse(p.HTTP.URL); err == nil {
			what += " " + u.Scheme + "://" + u.Host + u.Path
		}
		text, _ := json.Marshal(p.HTTP) //nolint:errchkjson // strings and numbers always encode
		sum := sha256.Sum256(text)
		what += " (" + hex.EncodeToString(sum[:3]) + ")" // differs where anything does
	case len(p.Exec) > 0:
		what = fmt.Sprintf("exec %q", p.Exec)
	case p.Log != "":
		what = "log " + p.Log
	case p.Notify:
		what = "notify"
	}
	text := fmt.Sprintf("%s every %v, timeout %v, %d passes or %d failures", what, p.Interval, p.Timeout, p.Successes, p.Failures)
	if p.Delay > 0 {
		text += fmt.Sprintf(", after %v", p.Delay)
	}
	if p.Deadline > 0 {
		text += fmt.Sprintf(", within %v", p.Deadline)
	}
	if p.Action != "" {
		text += ", then " + string(p.Action)
	}
	return text
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprint(n)
}

func limits(s services.Server) string {
	var words []string
	note := func(set bool, format string, value any) {
		if set {
			words = append(words, fmt.Sprintf(format, value))
		}
	}
	l := s.Limits
	note(l.Memory > 0, "memory %d bytes", l.Memory)
	note(l.CPU > 0, "cpu %g%%", l.CPU)
	note(l.PIDs > 0, "pids %d", l.PIDs)
	note(l.NoFile > 0, "nofile %d", l.NoFile)
	note(l.Nice != 0, "nice %d", l.Nice)
	return strings.Join(words, ", ")
}

func schedule(s services.Server) string {
	return fmt.Sprintf("%s, overlap %s", orNothing(s.Schedule.String()), s.Schedule.Overlap)
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	const most = 120
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
