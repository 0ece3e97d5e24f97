package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"tend/services"
	"tend/services/alerts"
)

// newAlerts makes what tells people.
func (m *manager) newAlerts() *alerts.Alerts {
	// What notification services are reached by that let nobody choose.
	http.DefaultTransport = alerts.NewTransport(nil)
	host, err := os.Hostname()
	if err != nil {
		host = "this machine"
	}
	return alerts.New(alerts.Options{Rules: m.cfg.Alerts, Host: host, URL: m.url(), Report: m.bus.Publish, Log: m.log})
}

func alertsCommand(g *globals) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "alerts",
		Short: "Show where alerts go, or send a test",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			list, err := client.AlertTargets(cmd.Context())
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if asJSON {
				text, err := json.MarshalIndent(list, "", "  ")
				fmt.Fprintf(out, "%s\n", text)
				return err
			}
			if len(list) == 0 {
				fmt.Fprintln(out, "nobody is told: add alerts: to the configuration")
			}
			for _, t := range list {
				on := make([]string, len(t.On))
				for i, o := range t.On {
					on[i] = string(o)
				}
				fmt.Fprintf(out, "%s  on %s", t.Target, strings.Join(on, ", "))
				if len(t.Servers) > 0 {
					fmt.Fprintf(out, "  of %s", strings.Join(t.Servers, ", "))
				}
				if t.Error != "" {
					fmt.Fprintf(out, "  last error: %s", services.OneLine(t.Error))
				}
				fmt.Fprintln(out)
			}
			return nil
		},
	}
	cmd.PersistentFlags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.AddCommand(&cobra.Command{
		Use:   "test",
		Short: "Send a test to every target, and say how that went",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			list, err := client.TestAlerts(cmd.Context())
			if err != nil {
				return err
			}
			out, failed := cmd.OutOrStdout(), 0
			for _, t := range list {
				if !t.OK {
					failed++
				}
				if !asJSON {
					fmt.Fprintf(out, "%s: %s\n", t.Target, services.OneLine(t.Message))
				}
			}
			if asJSON {
				text, err := json.MarshalIndent(list, "", "  ")
				if err != nil {
					return fmt.Errorf("print as JSON: %w", err)
				}
				fmt.Fprintf(out, "%s\n", text)
			}
			switch {
			case len(list) == 0:
				return services.Errorf(services.Conflict, "there is nobody to tell: add alerts: to the configuration")
			case failed > 0:
				return services.Errorf(services.Conflict, "%d of %d targets did not get the test", failed, len(list))
			}
			return nil
		},
	})
	return cmd
}
