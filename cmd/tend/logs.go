package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"

	"tend/services/remote"
)

// logsOptions select what is shown of a log.
type logsOptions struct {
	follow      bool
	json        bool
	lines       string
	since, grep string
}

func logsCommand(g *globals) *cobra.Command {
	var o logsOptions
	cmd := &cobra.Command{
		Use:   "logs NAME",
		Short: "Show what a server writes",
		Long: `Show what a server writes, just as it wrote it: the last 100 lines, or all since a time or with a word in them.

With -f it goes on with what comes until Ctrl-C, also after the server or the manager was restarted: while no manager runs it waits for the next one, and misses nothing. With --json it prints one object a line.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: g.oneName,
		RunE: func(cmd *cobra.Command, args []string) error {
			query, err := o.query(cmd.Flags().Changed("lines"))
			if err != nil {
				return err
			}
			client, err := g.client()
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			if o.follow {
				client = client.Enduring(tellBreaks(cmd.ErrOrStderr()))
			}
			return o.show(ctx, client, args[0], query, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on with what is written from now on")
	cmd.Flags().BoolVar(&o.json, "json", false, "print one JSON object a line")
	cmd.Flags().StringVarP(&o.lines, "lines", "n", "100", "how many of the last lines, or all")
	cmd.Flags().StringVar(&o.since, "since", "", "not before this `time` (2006-01-02T15:04:05Z), or this long ago (10m)")
	cmd.Flags().StringVar(&o.grep, "grep", "", "only lines that match this regular `expression`")
	return cmd
}

// query makes parameters of the REST call. The default number of lines holds
// only where nothing else bounds them.
func (o logsOptions) query(counted bool) (url.Values, error) {
	query := url.Values{"follow": {strconv.FormatBool(o.follow)}, "since": {o.since}, "grep": {o.grep}}
	n, err := strconv.Atoi(o.lines)
	switch {
	case !counted && (o.since != "" || o.grep != ""):
	case o.lines == "all":
	case err != nil || n < 0:
		return nil, usageError("--lines %s: write a number, or all", o.lines)
	default:
		query.Set("tail", o.lines)
		return query, nil
	}
	if o.follow && o.since == "" { // without a bound a follower begins near the end
		query.Set("tail", strconv.Itoa(1<<30))
	}
	return query, nil
}

// tellBreaks returns what tells whoever follows that the manager has ended, and
// that the next one is there.
func tellBreaks(stderr io.Writer) func(lost bool) {
	return func(lost bool) {
		if lost {
			fmt.Fprintln(stderr, "tend: the manager has ended; waiting for the next one (Ctrl-C ends this)")
		} else {
			fmt.Fprintln(stderr, "tend: going on with the next manager")
		}
	}
}

func (o logsOptions) show(ctx context.Context, client *remote.Client, name string, query url.Values, stdout io.Writer) error {
	out := &linePrinter{out: bufio.NewWriter(stdout), each: o.follow, asJSON: o.json}
	for line, err := range client.Lines(ctx, name, query) {
		if err == nil {
			err = out.print(line)
		}
		switch {
		case errors.Is(err, syscall.EPIPE):
			return nil // whoever watched has seen enough
		case err != nil:
			out.out.Flush() //nolint:errcheck // the error that counts is on its way
			return err
		}
	}
	if out.open && terminal(stdout) {
		out.out.WriteByte('\n') //nolint:errcheck // Flush says it
	}
	if err := out.out.Flush(); !errors.Is(err, syscall.EPIPE) {
		return err
	}
	return nil
}

// linePrinter prints lines as they were written.
type linePrinter struct {
	out    *bufio.Writer
	each   bool // show each line at once
	asJSON bool
	open   bool   // the last line has no newline yet
	next   string // where the last line ended
}

func (p *linePrinter) print(line remote.LogLine) error {
	if p.asJSON {
		if err := printLine(p.out, line); err != nil {
			return err
		}
	} else {
		p.text(line)
	}
	if p.each {
		return p.out.Flush()
	}
	return nil
}

func (p *linePrinter) text(line remote.LogLine) {
	if p.open && line.Address != p.next { // its rest is gone
		p.out.WriteByte('\n') //nolint:errcheck // the writer keeps its first error
	}
	p.out.Write(line.Bytes()) //nolint:errcheck // likewise
	if line.Cut {
		fmt.Fprintf(p.out, " [cut after %d kB]", len(line.Bytes())>>10)
	}
	p.open, p.next = line.Partial, line.Next
	if !line.Partial {
		p.out.WriteByte('\n') //nolint:errcheck // likewise
	}
}
