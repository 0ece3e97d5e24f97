package main

import (
	"context"
	"errors"
	"io"
	"net/url"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/spf13/cobra"
)

func logsCommand(g *globals) *cobra.Command {
	var follow bool
	var tail int
	var since, grep string
	cmd := &cobra.Command{
		Use:               "logs NAME",
		Short:             "Show what a server writes",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: g.names,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			query := url.Values{"follow": {strconv.FormatBool(follow)}}
			if cmd.Flags().Changed("lines") || since == "" {
				query.Set("tail", strconv.Itoa(tail))
			}
			if since != "" {
				query.Set("since", since)
			}
			if grep != "" {
				query.Set("grep", grep)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			text, err := client.Logs(ctx, args[0], query)
			if err != nil {
				return err
			}
			defer text.Close()
			_, err = io.Copy(cmd.OutOrStdout(), text)
			if ctx.Err() != nil || errors.Is(err, context.Canceled) || errors.Is(err, syscall.EPIPE) {
				return nil // whoever watched has seen enough
			}
			return err
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what is written from now on")
	cmd.Flags().IntVarP(&tail, "lines", "n", 100, "how many of the last lines")
	cmd.Flags().StringVar(&since, "since", "", "not before this time, or this long ago (10m)")
	cmd.Flags().StringVar(&grep, "grep", "", "only lines that match this regular expression")
	return cmd
}
