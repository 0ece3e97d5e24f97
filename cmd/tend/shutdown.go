package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

func shutdownCommand(g *globals) *cobra.Command {
	var keep bool
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "shutdown",
		Short: "End the manager and its servers",
		Long:  `End the manager. Its servers are stopped in order first; with --keep they run on, and the next tend serve takes them back.`,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			if err := client.Shutdown(ctx, keep); err != nil {
				return err
			}
			if err := awaitSilence(ctx, client.List); err != nil {
				return err
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "the manager has ended")
			return nil
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the servers running")
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Minute, "how long to wait for the end")
	return cmd
}

// awaitSilence returns when the manager does not answer any more.
func awaitSilence[T any](ctx context.Context, ask func(context.Context) (T, error)) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := ask(ctx); err != nil && ctx.Err() == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the manager has not ended yet: %w", ctx.Err())
		case <-tick.C:
		}
	}
}
