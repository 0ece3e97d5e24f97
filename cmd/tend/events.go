package main

import (
	"encoding/json"
	"fmt"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"tend/services"
)

func eventsCommand(g *globals) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show what happens, as it happens, until Ctrl-C",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			out := cmd.OutOrStdout()
			for e, err := range client.Watch(ctx, services.Now) {
				if err != nil {
					return err
				}
				if asJSON {
					text, err := json.Marshal(e)
					if err != nil {
						return err
					}
					fmt.Fprintf(out, "%s\n", text)
					continue
				}
				fmt.Fprintf(out, "%s  %-8s %s\n", e.At.Local().Format(time.TimeOnly), e.Kind, oneLine(e.Message))
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object a line")
	return cmd
}
