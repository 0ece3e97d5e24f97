package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"tend/services/config"
)

// checkCommand reads a configuration and says what is wrong with it. It starts
// nothing and asks no manager.
func checkCommand(g *globals) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Read the configuration and name every problem in it",
		Long: `Read the configuration and name every problem in it, one a line, as file:line:column: what to do. FILE means the same as --config FILE.

It ends with 0 where the file is good and with 1 where it is not. It reads the file alone: whether a command or a user exists shows when the server starts.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			if len(files) > 0 {
				if files[0] == "" {
					return usageError("name the file: it is empty")
				}
				if g.config != "" {
					return usageError("name the file or use --config, not both")
				}
				g.config = files[0]
			}
			path, err := g.find()
			if err != nil {
				return err
			}
			return check(path, asJSON, cmd.OutOrStdout())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the result as JSON")
	return cmd
}

// verdict is what `tend check --json` prints.
type verdict struct {
	File     string          `json:"file"`
	OK       bool            `json:"ok"`
	Servers  int             `json:"servers"`
	Problems config.Problems `json:"problems"`
}

func check(path string, asJSON bool, out io.Writer) error {
	cfg, err := loadConfig(path)
	v := verdict{File: path, OK: err == nil, Problems: config.Problems{}}
	if err != nil && !errors.As(err, &v.Problems) {
		return err
	}
	if cfg != nil {
		v.Servers = len(cfg.Servers)
	}
	switch {
	case asJSON:
		text, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return fmt.Errorf("print the result: %w", err)
		}
		fmt.Fprintf(out, "%s\n", text)
	case v.OK:
		fmt.Fprintf(out, "%s is good: %s, dashboard on %s, data in %s\n", path, count(v.Servers, "server"), cfg.Listen+overTLS(cfg.TLS), cfg.Data)
	default:
		fmt.Fprintln(out, v.Problems.Error())
	}
	if !v.OK {
		// Not the problems themselves: they have been printed.
		return fmt.Errorf("%s in %s", count(len(v.Problems), "problem"), path)
	}
	return nil
}

// overTLS says how the dashboard proves who it is.
func overTLS(t config.TLS) string {
	switch {
	case t.SelfSigned:
		return " with a self-signed certificate"
	case t.On():
		return " with the certificate " + t.Cert
	}
	return ""
}

// count says "1 server" or "2 servers".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
