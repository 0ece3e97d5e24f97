package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"tend/services"
)

// actOptions is what can be added to start, stop, restart and kill.
type actOptions struct {
	all, noWait bool
	dependents  bool
	timeout     time.Duration
	orphan      int
}

// actCommand is one of start, stop, restart and kill.
func actCommand(g *globals, action services.Action, short string) *cobra.Command {
	var o actOptions
	cmd := &cobra.Command{
		Use:               string(action) + " NAME... | --all",
		Short:             short,
		ValidArgsFunction: g.names,
		Args: func(_ *cobra.Command, names []string) error {
			return o.check(names)
		},
		RunE: func(cmd *cobra.Command, names []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			order := services.Order{Action: action, Servers: names, Orphan: o.orphan}
			if o.all {
				list, err := client.List(cmd.Context())
				if err != nil {
					return err
				}
				if order.Servers = allFor(action, list); len(order.Servers) == 0 {
					fmt.Fprintf(cmd.ErrOrStderr(), "there is no server to %s\n", action)
					return nil
				}
			}
			if action != services.Start && o.orphan == 0 && !o.all {
				if order.Servers, err = o.others(cmd, client, order); err != nil {
					return err
				}
			}
			return carryOut(cmd.Context(), client, order, o, cmd.ErrOrStderr())
		},
	}
	cmd.Flags().BoolVar(&o.all, "all", false, "all servers of the configuration")
	cmd.Flags().BoolVar(&o.noWait, "no-wait", false, "return as soon as the order was taken")
	cmd.Flags().DurationVar(&o.timeout, "timeout", 2*time.Minute, "how long to wait for the outcome")
	if action != services.Start {
		cmd.Flags().BoolVar(&o.dependents, "with-dependents", false, "also those servers that run and depend on these")
	}
	if action == services.Stop {
		cmd.Flags().IntVar(&o.orphan, "orphan", 0, "end the foreign process with this `pid`, which holds the server's port")
	}
	return cmd
}

// others returns the servers of an order with those that depend on them, if
// they are to be taken, too. In a terminal a stop asks.
func (o actOptions) others(cmd *cobra.Command, control services.Control, order services.Order) ([]string, error) {
	list, err := control.List(cmd.Context())
	if err != nil {
		return nil, err
	}
	all := services.WithDependents(list, order.Servers)
	left := all[len(order.Servers):]
	switch {
	case len(left) == 0 || o.dependents:
		return all, nil
	case order.Action == services.Restart:
		return order.Servers, nil // when_lost says what becomes of them
	}
	names := strings.Join(left, ", ")
	if in := cmd.InOrStdin(); terminal(in) && terminal(cmd.ErrOrStderr()) {
		fmt.Fprintf(cmd.ErrOrStderr(), "still running and dependent: %s; %s these, too? ", names, order.Action)
		if confirmed(in, cmd.ErrOrStderr()) {
			return all, nil
		}
		return order.Servers, nil
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "note: still needed by %s: when_lost says what happens there; --with-dependents takes all of them\n", names)
	return order.Servers, nil
}

// allFor returns the servers that --all means: a restart leaves alone what is
// not wanted to run.
func allFor(action services.Action, list []services.Status) []string {
	if action == services.Restart {
		list = slices.DeleteFunc(slices.Clone(list), func(s services.Status) bool { return s.Want == services.Down })
	}
	return services.Configured(list)
}

// check refuses what makes no sense together.
func (o actOptions) check(names []string) error {
	switch {
	case o.all && len(names) > 0:
		return errors.New("name servers or use --all, not both")
	case o.all && o.orphan != 0:
		return errors.New("--orphan ends one process, never --all")
	case !o.all && len(names) == 0:
		return errors.New("name at least one server, or use --all")
	case o.orphan < 0:
		return errors.New("--orphan takes the number of a process")
	case o.orphan != 0 && len(names) != 1:
		return errors.New("--orphan goes with one server, whose port the process holds")
	case o.timeout <= 0:
		return errors.New("--timeout takes a time such as 30s; use --no-wait to wait for nothing")
	}
	return nil
}

// carryOut gives an order for all its servers at once, and waits for the
// outcome.
func carryOut(ctx context.Context, control services.Control, order services.Order, o actOptions, stderr io.Writer) error {
	list, err := control.Do(ctx, order)
	if err != nil {
		return err
	}
	if o.noWait {
		for _, s := range list {
			fmt.Fprintf(stderr, "%s: %s ordered, it is %s\n", s.Name, order.Action, stateWord(s))
		}
		return nil
	}
	// Ctrl-C ends the waiting alone.
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	patience, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	if err := services.Await(patience, control, order); err != nil {
		if ctx.Err() != nil {
			return errors.New("interrupted: what was ordered goes on")
		}
		return err
	}
	if order.Orphan != 0 {
		fmt.Fprintf(stderr, "pid %d has ended, the port of %s is free\n", order.Orphan, order.Servers[0])
		return nil
	}
	return report(ctx, control, order, stderr)
}

// longReport is from how many servers on they are not told one by one.
const longReport = 20

// report tells what has become of an order.
func report(ctx context.Context, control services.Control, order services.Order, stderr io.Writer) error {
	done := map[services.Action]string{
		services.Start: "started", services.Stop: "stopped", services.Restart: "restarted", services.Kill: "killed",
	}[order.Action]
	if len(order.Servers) > longReport {
		fmt.Fprintf(stderr, "%d servers: %s\n", len(order.Servers), done)
		return nil
	}
	list, err := control.List(ctx)
	if err != nil {
		return err
	}
	pids := make(map[string]services.Int, len(list))
	for _, s := range list {
		pids[s.Name] = s.PID
	}
	told := make(map[string]bool, len(order.Servers))
	for _, name := range order.Servers {
		switch pid := pids[name]; {
		case told[name]:
		case pid != 0:
			fmt.Fprintf(stderr, "%s: %s (pid %d)\n", name, done, pid)
		default:
			fmt.Fprintf(stderr, "%s: %s\n", name, done)
		}
		told[name] = true
	}
	return nil
}
