package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"tend/services"
)

func statusCommand(g *globals) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:               "status [NAME...]",
		Short:             "Show what runs, what is well and why",
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
			switch {
			case asJSON && len(names) == 1:
				return printJSON(out, list[0])
			case asJSON:
				return printJSON(out, list)
			case len(names) == 1:
				return printDetails(out, list[0], time.Now())
			}
			return printTable(out, list, time.Now())
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
		return err
	}
	_, err = fmt.Fprintf(out, "%s\n", text)
	return err
}

func printTable(out io.Writer, list []services.Status, now time.Time) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(out, "No server is configured.")
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tSTATE\tPID\tPORT\tUPTIME\tRESTARTS\tHEALTH\tWHY")
	for _, s := range list {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d\t%s\t%s\n", s.Name, stateWord(s), number(s.PID), number(s.Port),
			uptime(s, now), s.Restarts, healthWord(s.Healthy), oneLine(s.Why))
	}
	return table.Flush()
}

func printDetails(out io.Writer, s services.Status, now time.Time) error {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, value string) {
		if value != "" && value != "-" {
			fmt.Fprintf(table, "%s\t%s\n", name, value)
		}
	}
	row("name", s.Name)
	row("description", s.Description)
	row("state", stateWord(s)+" (wanted "+string(s.Want)+")")
	row("why", oneLine(s.Why))
	row("command", oneLine(s.Command))
	row("pid", number(s.PID))
	row("port", number(s.Port))
	row("uptime", uptime(s, now))
	row("restarts", fmt.Sprint(s.Restarts))
	row("health", healthWord(s.Healthy))
	if !s.LastCheck.IsZero() {
		row("last check", s.LastCheck.Local().Format(time.DateTime))
	}
	if s.Exit != nil {
		row("last exit", s.Exit.Reason()+" at "+s.Exit.At.Local().Format(time.DateTime))
	}
	if !s.NextAttempt.IsZero() {
		row("next attempt", s.NextAttempt.Local().Format(time.DateTime))
	}
	row("depends on", strings.Join(s.DependsOn, ", "))
	if s.Tracking != nil {
		row("tracking", string(*s.Tracking))
	}
	if s.Orphaned {
		row("orphan", fmt.Sprintf("%s, pid %d: %s", *s.OrphanKind, s.OrphanedPID, oneLine(s.OrphanCommand)))
	}
	if s.Drift {
		row("drift", "runs with another command than the configuration has now")
	}
	return table.Flush()
}

func stateWord(s services.Status) string {
	if s.Orphaned {
		return string(s.Phase) + ", orphaned"
	}
	return string(s.Phase)
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
	return now.Sub(s.StartedAt.Time).Round(time.Second).String()
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

// oneLine keeps what a server or a stranger wrote from playing with the
// terminal.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, s)
}
