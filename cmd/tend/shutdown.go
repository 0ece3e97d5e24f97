package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"tend/services"
	"tend/services/remote"
)

func shutdownCommand(g *globals) *cobra.Command {
	var keep, noWait bool
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
			if noWait {
				return client.Shutdown(cmd.Context(), keep)
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			patience, cancel := context.WithTimeout(ctx, timeout)
			defer cancel()
			err = shutdown(patience, client, keep)
			switch {
			case ctx.Err() != nil:
				return errors.New("interrupted: the manager goes on ending")
			case patience.Err() != nil:
				return services.Errorf(services.Unavailable, "the manager has not ended within %s: it goes on ending", timeout)
			case err != nil:
				return err
			}
			fmt.Fprintln(cmd.ErrOrStderr(), "the manager has ended")
			return nil
		},
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the servers running")
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "return as soon as the manager has heard it")
	cmd.Flags().DurationVar(&timeout, "timeout", 10*time.Minute, "how long to wait for the end")
	return cmd
}

// shutdown returns when the manager has ended, or with ctx.
func shutdown(ctx context.Context, client *remote.Client, keep bool) error {
	info, err := client.Info(ctx)
	if err != nil {
		return err
	}
	alive, err := client.Attend(ctx)
	if err != nil {
		return err
	}
	defer alive.Close()
	if err := client.Shutdown(ctx, keep); err != nil {
		return err
	}
	io.Copy(io.Discard, alive) //nolint:errcheck // how it ends does not matter
	return awaitExit(ctx, info.PID)
}
