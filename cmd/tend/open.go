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
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), info.URL); err != nil {
				return err
			}
			if info.Certificate != "" {
				fmt.Fprintf(cmd.ErrOrStderr(), "its certificate has the SHA-256 fingerprint %s\n", info.Certificate)
			}
			opener, ok := desktop()
			if !ok {
				return nil
			}
			if err := exec.CommandContext(cmd.Context(), opener, info.URL).Run(); err != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s did not open it: %v\n", opener, err)
			}
			return nil
		},
	}
}

// desktop returns the program that opens addresses, where there is a screen.
func desktop() (opener string, ok bool) {
	switch {
	case runtime.GOOS == "darwin":
		opener = "open"
	case os.Getenv("DISPLAY") == "" && os.Getenv("WAYLAND_DISPLAY") == "":
		return "", false
	default:
		opener = "xdg-open"
	}
	_, err := exec.LookPath(opener)
	return opener, err == nil
}
