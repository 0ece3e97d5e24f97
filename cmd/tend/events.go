package main

import (
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"tend/services"
)

func eventsCommand(g *globals) *cobra.Command {
	var asJSON, all bool
	var after uint64
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show what happens, as it happens, until Ctrl-C",
		Long: `Show what happens, as it happens, until Ctrl-C. When the manager ends it waits for the next one, and goes on with that.

With --json it prints one object a line; --after goes on after the id of an event that was seen.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if all && cmd.Flags().Changed("after") {
				return usageError("use --all or --after, not both")
			}
			client, err := g.client()
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			if !all && !cmd.Flags().Changed("after") {
				after = services.Now
			}
			for e, err := range client.Enduring(tellBreaks(cmd.ErrOrStderr())).Watch(ctx, after) {
				if all && err == nil && e.Kind == services.EventReset {
					all = false
					continue // it says that there was more once, which nobody asked
				}
				if err == nil {
					err = printEvent(cmd.OutOrStdout(), e, asJSON)
				}
				if errors.Is(err, syscall.EPIPE) {
					return nil // whoever watched has seen enough
				}
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	cmd.Flags().BoolVar(&all, "all", false, "begin with all that the manager remembers")
	cmd.Flags().Uint64Var(&after, "after", 0, "begin after the event with this `id`")
	return cmd
}

func printEvent(out io.Writer, e services.Event, asJSON bool) error {
	if e.Kind == services.EventReset && !asJSON {
		e.Message = "some events may be missing here: `tend history` has them"
	}
	if !asJSON {
		_, err := fmt.Fprintf(out, "%s  %-8s %s\n", e.At.Local().Format(time.TimeOnly), e.Kind, services.OneLine(e.Message))
		return err
	}
	return printLine(out, e)
}
