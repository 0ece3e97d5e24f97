package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"

	"tend/services"
	"tend/services/remote"
)

// logsOptions select what is shown of a log.
type logsOptions struct {
	follow      bool
	lines       string
	since, grep string
}

func logsCommand(g *globals) *cobra.Command {
	var o logsOptions
	cmd := &cobra.Command{
		Use:   "logs NAME",
		Short: "Show what a server writes",
		Long: `Show what a server writes, just as it wrote it: the last 100 lines, or all since a time or with a word in them.

With -f it goes on with what comes, also after the server was restarted, until Ctrl-C.`,
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
			return o.show(ctx, client, args[0], query, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVarP(&o.follow, "follow", "f", false, "go on with what is written from now on")
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

func (o logsOptions) show(ctx context.Context, client *remote.Client, name string, query url.Values, stdout io.Writer) error {
	text, err := client.Logs(ctx, name, query)
	if err != nil {
		return err
	}
	defer text.Close()
	out := &lastByte{Writer: stdout, last: '\n'}
	_, err = io.Copy(out, text)
	if out.last != '\n' && terminal(stdout) {
		fmt.Fprintln(stdout)
	}
	switch {
	case ctx.Err() != nil, errors.Is(err, syscall.EPIPE): // whoever watched has seen enough
		return nil
	case err != nil:
		return &services.Error{Kind: services.Unavailable, Msg: "the log broke off", Err: err}
	case o.follow:
		return services.Errorf(services.Unavailable, "the manager has ended; its servers may go on writing")
	}
	return nil
}

// lastByte remembers how what was written ends.
type lastByte struct {
	io.Writer
	last byte
}

// Write implements io.Writer.
func (w *lastByte) Write(p []byte) (int, error) {
	if len(p) > 0 {
		w.last = p[len(p)-1]
	}
	return w.Writer.Write(p)
}
