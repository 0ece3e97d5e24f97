package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"tend/services"
	"tend/services/remote"
)

func historyCommand(g *globals) *cobra.Command {
	var o historyOptions
	cmd := &cobra.Command{
		Use:   "history [NAME...]",
		Short: "Show what happened, to all servers or to those that are named",
		Long: `Show what happened, oldest first, to all servers or to those that are named: what, when, and who did it.

With --runs it shows the runs of one server instead, and what it wrote last before it crashed. With --json it prints one object a line.`,
		ValidArgsFunction: g.names,
		RunE: func(cmd *cobra.Command, names []string) error {
			query, err := o.query(names, cmd.Flags().Changed)
			if err != nil {
				return err
			}
			client, err := g.client()
			if err != nil {
				return err
			}
			out := bufio.NewWriter(cmd.OutOrStdout())
			defer out.Flush()
			if o.runs {
				return o.showRuns(cmd.Context(), client, names[0], query, out)
			}
			return o.showEvents(cmd.Context(), client, query, out)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&o.kinds, "kind", nil, "only events of this `kind`, such as started, exited or failed; may be repeated")
	f.StringVar(&o.text, "text", "", "only where the message, the server or who did it contains this `text`")
	f.StringVar(&o.since, "since", "", "not older than this `age` or time, such as 10m or 2030-01-02T03:04:05Z")
	f.StringVar(&o.until, "until", "", "older than this `age` or time")
	f.IntVarP(&o.lines, "lines", "n", 50, "the last so many")
	f.BoolVar(&o.runs, "runs", false, "show the runs of one server")
	f.BoolVar(&o.json, "json", false, "print one JSON object a line")
	return cmd
}

type historyOptions struct {
	kinds              []string
	text, since, until string
	lines              int
	runs, json         bool
}

// mostRunsShown is as many as one answer of the manager holds.
const mostRunsShown = 200

// query makes parameters of the REST call; given reports which flags were.
func (o *historyOptions) query(names []string, given func(string) bool) (url.Values, error) {
	if o.lines < 1 {
		return nil, usageError("--lines %d: write a number from 1 on", o.lines)
	}
	if !o.runs {
		query := url.Values{"server": names, "kind": o.kinds}
		for name, value := range map[string]string{"text": o.text, "since": o.since, "until": o.until} {
			if value != "" {
				query.Set(name, value)
			}
		}
		return query, nil
	}
	for _, flag := range []string{"kind", "text", "since", "until"} {
		if given(flag) {
			return nil, usageError("--%s selects events, --runs shows runs: use one of them", flag)
		}
	}
	if len(names) != 1 {
		return nil, usageError("--runs goes with one server")
	}
	return url.Values{"limit": {strconv.Itoa(min(o.lines, mostRunsShown))}}, nil
}

func (o *historyOptions) showEvents(ctx context.Context, client *remote.Client, query url.Values, out io.Writer) error {
	var list []services.Event
	for e, err := range client.Events(ctx, query) {
		if err != nil {
			return err
		}
		if list = append(list, e); len(list) == o.lines {
			break
		}
	}
	silent := slices.DeleteFunc(slices.Clone(query["server"]), func(name string) bool {
		return slices.ContainsFunc(list, func(e services.Event) bool { return e.Server == name })
	})
	if err := checkKnown(ctx, client, silent); err != nil {
		return err
	}
	for _, e := range slices.Backward(list) {
		if err := o.print(out, e, func() string {
			text := fmt.Sprintf("%s  %-9s %s", e.At.Local().Format(time.DateTime), e.Kind, e.Message)
			if e.By != "" {
				text += " [" + e.By + "]"
			}
			return text
		}); err != nil {
			return err
		}
	}
	return nil
}

// checkKnown refuses the first server that is not configured and never did
// anything: one that has left the configuration still has its past. NotFound.
func checkKnown(ctx context.Context, client *remote.Client, names []string) error {
	if len(names) == 0 {
		return nil
	}
	list, err := client.List(ctx)
	if err != nil {
		return err
	}
	for _, name := range names {
		_, unknown := pick(list, []string{name})
		if unknown == nil {
			continue
		}
		// Without the other flags, which may select nothing of what it did.
		for _, err := range client.Events(ctx, url.Values{"server": {name}}) {
			unknown = err
			break
		}
		if unknown != nil {
			return unknown
		}
	}
	return nil
}

func (o *historyOptions) showRuns(ctx context.Context, client *remote.Client, name string, query url.Values, out io.Writer) error {
	list, err := client.Runs(ctx, name, query)
	if err != nil {
		return err
	}
	for _, r := range slices.Backward(list) {
		if err := o.print(out, r, func() string { return describeRun(r, time.Now()) }); err != nil {
			return err
		}
		if !o.json {
			for _, line := range r.Lines {
				fmt.Fprintf(out, "    %s\n", services.OneLine(line)) //nolint:errcheck // the writer keeps its first error
			}
		}
	}
	return nil
}

// describeRun says in one line when a run was, how long and how it ended.
func describeRun(r services.PastRun, now time.Time) string {
	began := r.StartedAt.Local().Format(time.DateTime)
	if r.EndedAt.IsZero() {
		return fmt.Sprintf("%s  runs for %s", began, span(now.Sub(r.StartedAt.Time)))
	}
	how := "how it ended is not known"
	if r.Exit != nil {
		how = r.Exit.Reason()
	}
	return fmt.Sprintf("%s  ran for %s, %s", began, span(r.EndedAt.Sub(r.StartedAt.Time)), how)
}

// print writes one object as a line.
func (o *historyOptions) print(out io.Writer, value any, line func() string) error {
	if !o.json {
		_, err := fmt.Fprintln(out, services.OneLine(line()))
		return err
	}
	return printLine(out, value)
}
