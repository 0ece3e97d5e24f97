package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"tend/services"
	"tend/services/failpoint"
	"tend/services/remote"
)

// preflightTime bounds the trial of a program before it takes over.
const preflightTime = 10 * time.Second

func upgradeCommand(g *globals) *cobra.Command {
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "upgrade",
		Short: "Let the installed program take over from the running manager, in place",
		Long: `Let the program that is installed now where the manager was started from take over, in place: the servers run on untouched, the dashboard's address stays open, browsers reconnect.

The new program is tried first. If it cannot read the configuration or the state, everything stays as it is. SIGUSR2 does the same.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			return upgrade(ctx, client, cmd.OutOrStdout())
		},
	}
	cmd.Flags().DurationVar(&timeout, "timeout", time.Minute, "how long to wait for the new manager")
	return cmd
}

// upgrade returns when another manager answers.
func upgrade(ctx context.Context, client *remote.Client, out io.Writer) error {
	before, err := client.Info(ctx)
	if err != nil {
		return err
	}
	if err := client.Upgrade(ctx); err != nil {
		return err
	}
	// Its listener stays open, so that a call waits for the new one.
	for {
		now, err := client.Info(ctx)
		switch {
		case err == nil && !now.StartedAt.Equal(before.StartedAt):
			_, err := fmt.Fprintf(out, "tend %s has taken over from %s (pid %d)\n", now.Version, before.Version, now.PID)
			return err
		case ctx.Err() != nil:
			return services.Errorf(services.Unavailable, "the manager has not been replaced in time: its log says why")
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// upgrade has the program that is installed where this one was started from
// take over, once it has shown that it can. Conflict where it cannot: then
// everything stays as it is.
func (m *manager) upgrade(ctx context.Context, by string) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if err := m.preflight(ctx, program); err != nil {
		return err
	}
	failpoint.At("upgrade-tried")
	m.log.Info("another program takes over", "program", program, "by", by)
	m.ask(wish{keep: true, program: program})
	return nil
}

// preflight tries a program, for there is no way back from what follows.
func (m *manager) preflight(ctx context.Context, program string) error {
	ctx, cancel := context.WithTimeout(ctx, preflightTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, "preflight", "--config", m.cfg.Path, "--using", m.cfg.Data)
	if m.given.data {
		cmd.Args = append(cmd.Args, "--data", m.cfg.Data)
	}
	if m.given.listen == "" {
		cmd.Args = append(cmd.Args, "--listening", m.cfg.Listen)
	}
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Run()
	if err == nil {
		return nil
	}
	why := strings.TrimSpace(said.String())
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		why = fmt.Sprintf("it did not answer within %v", preflightTime)
	} else if why == "" {
		why = err.Error()
	}
	return services.Errorf(services.Conflict, "%s cannot take over, so everything stays as it is: %s", program, why)
}

// takePlace makes this process run another program. It returns only where
// neither that nor our own can be run again.
func (m *manager) takePlace(program string, left *estate) error {
	entry, err := left.leave()
	if err != nil {
		return err
	}
	// What is ignored stays so until the new program listens to it: a second
	// order to upgrade, or to reload, must not end it.
	signal.Ignore(syscall.SIGUSR2, syscall.SIGHUP)
	failpoint.At("upgrade-left")
	env := append(os.Environ(), entry)
	err = syscall.Exec(program, os.Args, env)
	m.log.Error("the new program could not be run: this one goes on", "program", program, "err", err)
	return errors.Join(err, syscall.Exec(ownImage, os.Args, env))
}

// ownImage is this program, even where its file has been replaced. Linux only;
// elsewhere there is no such file.
const ownImage = "/proc/self/exe"
