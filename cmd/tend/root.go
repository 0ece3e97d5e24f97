package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"tend"
	"tend/services"
	"tend/services/alerts"
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

// run is the whole program but for the process around it. Data goes to stdout,
// what is said to people to stderr.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	g := &globals{}
	defer g.close()
	root := rootCommand(g)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil && !g.begun {
		err = misuse{err} // cobra refused the command line
	}
	if err != nil {
		fmt.Fprintln(stderr, "tend:", g.sentence(err))
	}
	return exitCode(err)
}

// globals are the flags that every command takes, and what they led to.
type globals struct {
	config string
	data   string

	begun   bool // the command line made sense, and its command runs
	manager *remote.Client
	where   string // what the manager was looked for by
	dir     string // its data directory
	unread  bool   // the configuration could not be read for that
}

func rootCommand(g *globals) *cobra.Command {
	root := &cobra.Command{
		Use:   "tend",
		Short: "Start, watch and stop servers, and never lose one",
		Long: `tend starts, watches and stops the servers of one machine, and does not lose them when it dies itself.

Write a tend.yaml, run tend serve, and open the dashboard that it names. Or see tend demo.

The exit code is 0 for done, 1 for failed, 2 for a command that makes no sense, 3 for what is not found, and 4 where no manager runs.`,
		Version:          version(),
		SilenceUsage:     true,
		SilenceErrors:    true,
		Args:             knownCommand,
		RunE:             func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRun: func(*cobra.Command, []string) { g.begun = true },
	}
	root.SuggestionsMinimumDistance = 2
	root.SetVersionTemplate("tend {{.Version}}\n")
	root.PersistentFlags().StringVarP(&g.config, "config", "c", "", "the configuration (default: the nearest tend.yaml from here upwards)")
	root.PersistentFlags().StringVar(&g.data, "data", "", "the data directory (default: as configured, .tend beside the configuration)")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		var value *pflag.InvalidValueError
		if errors.As(err, &value) {
			return usageError("--%s %s: %s; see `%s --help`", value.GetFlag().Name, value.GetValue(), wanted(value.GetFlag()), cmd.CommandPath())
		}
		return usageError("%v; see `%s --help`", err, cmd.CommandPath())
	})
	root.AddCommand(
		serveCommand(g), demoCommand(), statusCommand(g),
		actCommand(g, services.Start, "Start servers, and what they depend on"),
		actCommand(g, services.Stop, "Stop servers with all their processes"),
		actCommand(g, services.Restart, "Stop servers and start them again"),
		actCommand(g, services.Kill, "End servers with SIGKILL"),
		logsCommand(g), eventsCommand(g), historyCommand(g), checkCommand(g), reloadCommand(g), alertsCommand(g), upgradeCommand(g), shutdownCommand(g), openCommand(g),
		usersCommand(g), tokensCommand(g), sessionsCommand(g), unitCommand(g.find), versionCommand(), servantCommand(), preflightCommand(g),
	)
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" {
			shells := cmd.Commands()
			cmd.RunE = func(*cobra.Command, []string) error {
				names := make([]string, 0, len(shells))
				for _, shell := range shells {
					names = append(names, shell.Name())
				}
				return usageError("name a shell: tend completion %s", strings.Join(names, "|"))
			}
		}
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

// wanted says what the value of a flag has to be.
func wanted(flag *pflag.Flag) string {
	switch flag.Value.Type() {
	case "int", "uint64":
		return "write a number"
	case "bool":
		return "write true or false"
	case "duration":
		return "write a time such as 30s"
	}
	return "this is not what it takes"
}

// knownCommand refuses what is no command, and says what may have been meant.
func knownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		return usageError("there is no command %q: did you mean %s?", args[0], strings.Join(near, " or "))
	}
	return usageError("there is no command %q; see `tend --help`", args[0])
}

// misuse is an error of whoever typed the command.
type misuse struct{ error }

func usageError(format string, args ...any) error {
	return misuse{fmt.Errorf(format, args...)}
}

func exitCode(err error) int {
	var wrong misuse
	var nobody *remote.NoManager
	var problems config.Problems
	var essential *essentialEnded
	switch kind := services.KindOf(err); {
	case err == nil:
		return exitDone
	case errors.As(err, &essential):
		return essential.code()
	case errors.As(err, &wrong):
		return exitUsage
	case errors.As(err, &nobody):
		return exitNoManager
	case errors.As(err, &problems):
		return exitFailed
	case kind == services.NotFound:
		return exitNotFound
	case kind == services.Invalid:
		return exitUsage
	}
	return exitFailed
}

// sentence is what a person is told of an error.
func (g *globals) sentence(err error) string {
	var nobody *remote.NoManager
	if !errors.As(err, &nobody) {
		return err.Error()
	}
	text := fmt.Sprintf("no manager is running for %s: start it with `tend serve`", g.where)
	if g.unread {
		text += " (the configuration has problems, see `tend check`; if it names a data directory, say so with --data)"
	}
	return text
}

// find returns the path of the configuration.
func (g *globals) find() (string, error) {
	if g.config != "" {
		return filepath.Abs(g.config)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the configuration: %w", err)
	}
	return config.Find(dir)
}

// loadConfig reads a configuration with everything that can be said of it.
func loadConfig(path string) (*config.Config, error) {
	return config.LoadChecked(path, os.LookupEnv, alerts.CheckNotify)
}

// load reads the configuration for a manager.
func (g *globals) load() (*config.Config, error) {
	path, err := g.find()
	if err != nil {
		return nil, err
	}
	cfg, err := loadConfig(path)
	if err != nil {
		return nil, err
	}
	if g.data != "" {
		if cfg.Data, err = filepath.Abs(g.data); err != nil {
			return nil, fmt.Errorf("find the data directory: %w", err)
		}
	}
	return cfg, nil
}

// client finds the manager of the configuration. The file need not be valid
// for that: a manager that runs has read an earlier one.
func (g *globals) client() (*remote.Client, error) {
	if g.manager != nil {
		return g.manager, nil
	}
	data := g.data
	g.where = "the data directory " + data
	if data == "" {
		path, err := g.find()
		if err != nil {
			return nil, err
		}
		g.where = path
		data = filepath.Join(filepath.Dir(path), ".tend")
		cfg, err := config.Load(path)
		if err == nil {
			data = cfg.Data
		}
		g.unread = err != nil
	}
	socket, err := remote.SocketPath(data)
	if err != nil {
		return nil, err
	}
	g.manager, g.dir = remote.New(socket), data
	return g.manager, nil
}

func (g *globals) close() {
	if g.manager != nil {
		g.manager.Close()
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "tend", version())
			return err
		},
	}
}

// version is the release, with the commit that the program was built from
// where it is known.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				return tend.Version + " (" + s.Value[:12] + ")"
			}
		}
	}
	return tend.Version
}
