package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"
)

func openCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "open",
		Short: "Print the dashboard's address, and open it where there is a desktop",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			info, err := client.Info(cmd.Context())
			if err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), info.URL)
			opener := "xdg-open"
			if runtime.GOOS == "darwin" {
				opener = "open"
			} else if os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "" {
				return nil
			}
			if _, err := exec.LookPath(opener); err != nil {
				return nil
			}
			return exec.CommandContext(cmd.Context(), opener, info.URL).Run()
		},
	}
}
