package main

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"runtime"

	"github.com/spf13/cobra"
)

func openCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "open",
		Short: "Print a link that signs a browser in as admin, and open it where there is a desktop",
		Long: `Print a link that signs one browser in as admin, once and within five minutes, and open it where there is a desktop.

Where the kernel tells whose a connection is, as on Linux, another user of this machine can do nothing with it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := g.client()
			if err != nil {
				return err
			}
			info, err := client.Info(cmd.Context())
			if err != nil {
				return err
			}
			path, err := client.NewLink(cmd.Context())
			if err != nil {
				return err
			}
			link := reachable(info.URL) + path
			if _, err := fmt.Fprintln(cmd.OutOrStdout(), link); err != nil {
				return err
			}
			if info.Certificate != "" {
				fmt.Fprintf(cmd.ErrOrStderr(), "its certificate has the SHA-256 fingerprint %s\n", info.Certificate)
			}
			opener, ok := desktop()
			if !ok {
				return nil
			}
			if err := exec.CommandContext(cmd.Context(), opener, link).Run(); err != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "%s did not open it: %v\n", opener, err)
			}
			return nil
		},
	}
}

// reachable is the address of a dashboard for a browser on this machine: one
// that listens on all addresses is reached by loopback.
func reachable(dashboard string) string {
	u, err := url.Parse(dashboard)
	if err != nil {
		return dashboard
	}
	ip, err := netip.ParseAddr(u.Hostname())
	switch {
	case err != nil || !ip.IsUnspecified():
		return dashboard
	case ip.Is4():
		u.Host = net.JoinHostPort("127.0.0.1", u.Port())
	default:
		u.Host = net.JoinHostPort("::1", u.Port())
	}
	return u.String()
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
