package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"

	"github.com/spf13/cobra"

	"tend/services"
	"tend/services/config"
	"tend/services/remote"
)

// The exit codes, which are part of the contract.
const (
	exitDone      = 0
	exitFailed    = 1
	exitUsage     = 2
	exitNotFound  = 3
	exitNoManager = 4
)

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := rootCommand()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintln(stderr, "tend:", sentence(err))
	}
	return exitCode(err)
}

// globals are the flags that every command takes.
type globals struct {
	config string
	data   string
}

func rootCommand() *cobra.Command {
	g := &globals{}
	root := &cobra.Command{
		Use:   "tend",
		Short: "Start, watch and stop servers, and never lose one",
		Long: `tend starts, watches and stops the servers of one machine, and does not lose them when it dies itself.

Write a tend.yaml, run tend serve, and open the dashboard that it names. Or see tend demo.`,
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.PersistentFlags().StringVarP(&g.config, "config", "c", "", "the configuration (default: the nearest tend.yaml from here upwards)")
	root.PersistentFlags().StringVar(&g.data, "data", "", "the data directory (default: as configured, .tend beside the configuration)")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError("%v; see `%s --help`", err, cmd.CommandPath())
	})
	root.AddCommand(
		serveCommand(g), demoCommand(), statusCommand(g),
		actCommand(g, services.Start, "Start servers, and what they depend on"),
		actCommand(g, services.Stop, "Stop servers with all their processes"),
		actCommand(g, services.Restart, "Stop servers and start them again"),
		actCommand(g, services.Kill, "End servers with SIGKILL"),
		logsCommand(g), eventsCommand(g), checkCommand(g.find), shutdownCommand(g), openCommand(g), unitCommand(g.find),
		servantCommand(),
	)
	for _, cmd := range root.Commands() {
		if args := cmd.Args; args != nil {
			cmd.Args = func(cmd *cobra.Command, given []string) error {
				if err := args(cmd, given); err != nil {
					return usageError("%v; see `%s --help`", err, cmd.CommandPath())
				}
				return nil
			}
		}
	}
	return root
}

// misuse is an error of whoever typed the command.
type misuse struct{ error }

func usageError(format string, args ...any) error {
	return misuse{fmt.Errorf(format, args...)}
}

func exitCode(err error) int {
	var wrong misuse
	var nobody *remote.NoManager
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &wrong):
		return exitUsage
	case errors.As(err, &nobody):
		return exitNoManager
	case services.KindOf(err) == services.NotFound:
		return exitNotFound
	}
	return exitFailed
}

// sentence is what a person is told of an error.
func sentence(err error) string {
	var nobody *remote.NoManager
	if errors.As(err, &nobody) {
		return nobody.Error()
	}
	return err.Error()
}

// find returns the path of the configuration.
func (g *globals) find() (string, error) {
	if g.config != "" {
		return filepath.Abs(g.config)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return config.Find(dir)
}

// load reads the configuration for a manager.
func (g *globals) load() (*config.Config, error) {
	path, err := g.find()
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	if g.data != "" {
		if cfg.Data, err = filepath.Abs(g.data); err != nil {
			return nil, err
		}
	}
	return cfg, nil
}

// client finds the manager of the configuration. The file need not be valid
// for that: a manager that runs has read an earlier one.
func (g *globals) client() (*remote.Client, error) {
	data := g.data
	if data == "" {
		path, err := g.find()
		if err != nil {
			return nil, err
		}
		data = filepath.Join(filepath.Dir(path), ".tend")
		if cfg, err := config.Load(path); err == nil {
			data = cfg.Data
		}
	}
	socket, err := remote.SocketPath(data)
	if err != nil {
		return nil, err
	}
	return remote.New(socket), nil
}

// names completes the names of servers.
func (g *globals) names(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	const nothingElse = cobra.ShellCompDirectiveNoFileComp
	client, err := g.client()
	if err != nil {
		return nil, nothingElse
	}
	list, err := client.List(cmd.Context())
	if err != nil {
		return nil, nothingElse
	}
	taken := map[string]bool{}
	for _, name := range given {
		taken[name] = true
	}
	var out []string
	for _, s := range list {
		if !taken[s.Name] {
			out = append(out, s.Name+"\t"+string(s.Phase))
		}
	}
	return out, nothingElse
}

// version is the release, or the commit that the program was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return s.Value[:12]
		}
	}
	if v := info.Main.Version; v != "" {
		return v
	}
	return "(devel)"
}
