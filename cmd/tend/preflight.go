package main

import (
	"fmt"
	"net"
	"path/filepath"

	"github.com/spf13/cobra"

	"tend/services"
	"tend/services/config"
	"tend/services/state"
)

// preflightCommand says whether this program could take over from the manager
// that runs it: whatever would keep it from starting is found here, while that
// one still looks after the servers. It changes nothing.
func preflightCommand(g *globals) *cobra.Command {
	var listening, using string
	cmd := &cobra.Command{
		Use:    "preflight",
		Short:  "Say whether this program could take over from a running manager",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.load()
			if err != nil {
				return err
			}
			if err := preflight(cfg, using, listening); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), "tend", version(), "can take over")
			return err
		},
	}
	cmd.Flags().StringVar(&using, "using", "", "the data directory that the manager has")
	cmd.Flags().StringVar(&listening, "listening", "", "the address that the manager has by its configuration")
	return cmd
}

// preflight checks a configuration against the directory and the address that
// a manager has now. An empty address is one that it was given otherwise.
func preflight(cfg *config.Config, using, listening string) error {
	if filepath.Clean(cfg.Data) != filepath.Clean(using) {
		return services.Errorf(services.Conflict, "data: the configuration names %s now, and the servers are those of %s: use tend shutdown and tend serve", cfg.Data, using)
	}
	if err := state.Readable(using); err != nil {
		return err
	}
	if listening == "" || cfg.Listen == listening {
		return nil
	}
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return services.Errorf(services.Conflict, "listen: %v", err)
	}
	return l.Close()
}
