package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tend/services"
)

func statusCommand(g *globals) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "status [NAME...]",
		Short: "Show what runs, what is well and why",
		Long: `Show what runs, what is well and why: all servers or those that are named, one alone in detail.

With --json it prints what REST answers: an object for one name, otherwise an array.`,
		ValidArgsFunction: g.names,
		RunE: func(cmd *cobra.Command, names []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			list, err := client.List(cmd.Context())
			if err != nil {
				return err
			}
			if len(names) > 0 {
				if list, err = pick(list, names); err != nil {
					return err
				}
			}
			out := cmd.OutOrStdout()
			paint := painter{coloured(out)}
			switch {
			case asJSON && len(names) == 1:
				return printJSON(out, list[0])
			case asJSON:
				return printJSON(out, list)
			case len(names) == 1:
				return printDetails(out, list[0], time.Now(), paint)
			}
			return printTable(out, list, time.Now(), paint)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print what REST would answer")
	return cmd
}

// pick returns the named servers in the order of their names. NotFound.
func pick(list []services.Status, names []string) ([]services.Status, error) {
	byName := make(map[string]services.Status, len(list))
	for _, s := range list {
		byName[s.Name] = s
	}
	out := make([]services.Status, 0, len(names))
	for _, name := range names {
		s, ok := byName[name]
		if !ok {
			return nil, services.Errorf(services.NotFound, "there is no server %q", name)
		}
		out = append(out, s)
	}
	return out, nil
}

func printJSON(out io.Writer, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return fmt.Errorf("print as JSON: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s\n", text)
	return err
}

// printLine prints a value as one line of JSON.
func printLine(out io.Writer, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("print as JSON: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s\n", text)
	return err
}

func printTable(out io.Writer, list []services.Status, now time.Time, paint painter) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "No server is configured.")
		return err
	}
	var t table
	for _, title := range []string{"NAME", "STATE", "HEALTH", "PID", "PORT", "UPTIME", "RESTARTS", "WHY"} {
		t.cell(title, paint.title)
	}
	for _, s := range list {
		t.row()
		t.cell(s.Name, nil)
		t.cell(stateWord(s), paint.state(s))
		t.cell(healthWord(s.Healthy), paint.health(s.Healthy))
		t.cell(number(s.PID), nil)
		t.cell(number(s.Port), nil)
		t.cell(uptime(s, now), nil)
		t.cell(fmt.Sprint(s.Restarts), nil)
		t.cell(why(s), nil)
	}
	return t.print(out)
}

func printDetails(out io.Writer, s services.Status, now time.Time, paint painter) error {
	var t table
	row := func(name, value string, colour func(string) string) {
		if value != "" && value != "-" {
			t.row()
			t.cell(name, paint.title)
			t.cell(value, colour)
		}
	}
	row("name", s.Name, nil)
	row("description", s.Description, nil)
	row("group", s.Group, nil)
	row("state", stateWord(s)+", wanted "+string(s.Want), paint.state(s))
	row("why", why(s), nil)
	row("health", healthWord(s.Healthy), paint.health(s.Healthy))
	row("last check", instant(s.LastCheck.Time, now), nil)
	row("command", s.Command, nil)
	row("pid", number(s.PID), nil)
	row("port", number(s.Port), nil)
	row("started", instant(s.StartedAt.Time, now), nil)
	row("restarts", fmt.Sprint(s.Restarts), nil)
	if s.Exit != nil {
		row("last exit", s.Exit.Reason()+", "+instant(s.Exit.At, now), nil)
	}
	row("next attempt", instant(s.NextAttempt.Time, now), nil)
	row("schedule", s.Schedule, nil)
	row("next run", instant(s.NextRun.Time, now), nil)
	row("says", s.Notified, nil)
	row("uses", uses(s), nil)
	row("limits", s.Limits, nil)
	row("depends on", strings.Join(s.DependsOn, ", "), nil)
	row("needed by", strings.Join(s.NeededBy, ", "), nil)
	if s.Tracking != nil {
		row("tracking", string(*s.Tracking), nil)
	}
	if s.Adopted {
		row("adopted", "it was started by an earlier manager", nil)
	}
	if s.Orphaned && s.OrphanKind != nil {
		row("orphan", fmt.Sprintf("%s, pid %d: %s", *s.OrphanKind, s.OrphanedPID, s.OrphanCommand), nil)
	}
	if s.CrashLoop {
		row("crash loop", "it has failed several times in a row", nil)
	}
	if s.Drift {
		row("drift", "it runs with another command than the configuration has now: restart it", nil)
	}
	return t.print(out)
}

// memoryWords say what the memory is of which a number is shown.
var memoryWords = map[services.MemoryKind]string{
	services.MemoryCgroup: "(of its cgroup)",
	services.MemoryRSS:    "(RSS)",
}

// uses says what the process tree used at the last sample.
func uses(s services.Status) string {
	u := s.Usage
	if u == nil {
		return ""
	}
	words := []string{fmt.Sprintf("%.0f %% of a core", u.CPU)}
	add := func(a services.Amount, text string) {
		if a >= 0 {
			words = append(words, text)
		}
	}
	add(u.Memory, strings.TrimSpace(fmt.Sprintf("%.1f MB %s", float64(u.Memory)/1e6, memoryWords[s.MemoryKind])))
	add(u.Processes, fmt.Sprintf("%d processes", u.Processes))
	add(u.Threads, fmt.Sprintf("%d threads", u.Threads))
	add(u.Files, fmt.Sprintf("%d open files", u.Files))
	return strings.Join(words, ", ")
}

// stateWord says in a word or two what a server does.
func stateWord(s services.Status) string {
	if s.Orphaned {
		return string(s.Phase) + ", orphaned"
	}
	return string(s.Phase)
}

// why adds what is not in the sentence itself.
func why(s services.Status) string {
	text := s.Why
	add := func(more string) {
		if text != "" {
			text += "; "
		}
		text += more
	}
	if s.OrphanKind != nil && *s.OrphanKind == services.Foreign && !strings.Contains(text, fmt.Sprint(int(s.OrphanedPID))) {
		add(fmt.Sprintf("port %d is held by pid %d (%s)", s.Port, s.OrphanedPID, s.OrphanCommand))
	}
	return text
}

func number(n services.Int) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprint(int(n))
}

func uptime(s services.Status, now time.Time) string {
	if s.PID == 0 || s.StartedAt.IsZero() {
		return "-"
	}
	return span(now.Sub(s.StartedAt.Time))
}

// span writes a length of time in its two largest units.
func span(d time.Duration) string {
	d = max(d, 0)
	seconds := int(d.Round(time.Second) / time.Second)
	switch {
	case seconds == 0 && d > 0:
		return d.Round(time.Millisecond).String()
	case seconds < 60:
		return fmt.Sprintf("%ds", seconds)
	case seconds < 3600:
		return fmt.Sprintf("%dm%02ds", seconds/60, seconds%60)
	case seconds < 24*3600:
		return fmt.Sprintf("%dh%02dm", seconds/3600, seconds/60%60)
	}
	return fmt.Sprintf("%dd%02dh", seconds/86400, seconds/3600%24)
}

// instant writes a time of day and how far it is from now.
func instant(at, now time.Time) string {
	switch {
	case at.IsZero():
		return "-"
	case at.After(now):
		return fmt.Sprintf("%s (in %s)", at.Local().Format(time.DateTime), span(at.Sub(now)))
	}
	return fmt.Sprintf("%s (%s ago)", at.Local().Format(time.DateTime), span(now.Sub(at)))
}

func healthWord(healthy *bool) string {
	switch {
	case healthy == nil:
		return "-"
	case *healthy:
		return "healthy"
	}
	return "unhealthy"
}
