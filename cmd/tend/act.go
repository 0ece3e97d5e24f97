package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"tend/services"
)

// actCommand is one of start, stop, restart and kill.
func actCommand(g *globals, action services.Action, short string) *cobra.Command {
	var all, noWait bool
	var timeout time.Duration
	var orphan int
	cmd := &cobra.Command{
		Use:               string(action) + " NAME...",
		Short:             short,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: g.names,
		RunE: func(cmd *cobra.Command, names []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			switch {
			case all && len(names) > 0:
				return usageError("name servers or use --all, not both")
			case all && orphan != 0:
				return usageError("--orphan ends one process, never --all")
			case !all && len(names) == 0:
				return usageError("name at least one server, or use --all")
			case orphan != 0 && len(names) != 1:
				return usageError("--orphan goes with one server, whose port the process holds")
			}
			if all {
				list, err := client.List(cmd.Context())
				if err != nil {
					return err
				}
				if names = services.Configured(list); len(names) == 0 {
					return nil
				}
			}
			order := services.Order{Action: action, Servers: names, Orphan: orphan}
			return carryOut(cmd, client, order, noWait, timeout)
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all servers of the configuration")
	cmd.Flags().BoolVar(&noWait, "no-wait", false, "return as soon as the order was taken")
	cmd.Flags().DurationVar(&timeout, "timeout", time.Minute, "how long to wait for the outcome")
	if action == services.Stop {
		cmd.Flags().IntVar(&orphan, "orphan", 0, "end the foreign process with this pid, which holds the server's port")
	}
	return cmd
}

func carryOut(cmd *cobra.Command, control services.Control, order services.Order, noWait bool, timeout time.Duration) error {
	if _, err := control.Do(cmd.Context(), order); err != nil {
		return err
	}
	done := map[services.Action]string{
		services.Start: "started", services.Stop: "stopped", services.Restart: "restarted", services.Kill: "killed",
	}[order.Action]
	if noWait {
		done = string(order.Action) + " ordered"
	} else {
		ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
		defer cancel()
		if err := services.Await(ctx, control, order); err != nil {
			if errors.Is(err, context.Canceled) {
				return errors.New("interrupted; the order stands")
			}
			return err
		}
	}
	if order.Orphan != 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "pid %d: %s\n", order.Orphan, done)
		return nil
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "%s: %s\n", strings.Join(order.Servers, ", "), done)
	return nil
}
