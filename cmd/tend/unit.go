package main

import (
	"fmt"
	"io"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"tend/services"
)

// unitCommand prints a unit for systemd that runs the manager with the
// configuration that find names.
func unitCommand(find func() (string, error)) *cobra.Command {
	var forUser bool
	cmd := &cobra.Command{
		Use:   "unit",
		Short: "Print a systemd unit that runs the manager with this configuration",
		Long: `Print a systemd unit that runs the manager with this configuration.

For the system, as root:

  tend unit > /etc/systemd/system/tend.service
  systemctl enable --now tend

For one user, without root:

  tend unit --user > ~/.config/systemd/user/tend.service
  systemctl --user enable --now tend
  loginctl enable-linger            # keeps it running after the logout

systemd restarts a manager that has crashed, and the servers run on meanwhile. A variable that the configuration needs is given by systemctl edit tend, as Environment=NAME=value.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := find()
			if err != nil {
				return err
			}
			return printUnit(path, forUser, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().BoolVar(&forUser, "user", false, "for the user's own systemd instead of the system's")
	return cmd
}

func printUnit(path string, forUser bool, out, stderr io.Writer) error {
	cfg, err := loadConfig(path)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	if strings.HasPrefix(self, filepath.Clean(os.TempDir())+string(filepath.Separator)) {
		fmt.Fprintf(stderr, "note: %s is in a temporary directory: install tend first (make install), then print the unit with that one\n", self)
	}
	u := unit{Program: self, Config: cfg.Path, Dir: cfg.Dir, StopTime: stopTime(cfg.Servers), ForUser: forUser}
	if !forUser && os.Getuid() != 0 {
		who, err := user.Current()
		if err != nil {
			return fmt.Errorf("find this user: %w", err)
		}
		u.RunAs = who.Username
	}
	if err := u.possible(); err != nil {
		return err
	}
	_, err = io.WriteString(out, u.String())
	return err
}

// unit is what differs from one systemd unit of tend to another.
type unit struct {
	Program, Config, Dir string // absolute paths
	RunAs                string // a user's name, empty for systemd's own
	ForUser              bool
	StopTime             time.Duration
}

// possible refuses what no quoting can bring into a unit. Invalid.
func (u unit) possible() error {
	if strings.ContainsAny(u.Program, `"'\`) {
		return services.Errorf(services.Invalid, "systemd runs no program whose path has quotes or backslashes in it: install tend elsewhere than %s", u.Program)
	}
	if strings.ContainsFunc(u.Program+u.Config, unicode.IsControl) {
		return services.Errorf(services.Invalid, "a unit cannot hold the path %q: remove the control characters from it", u.Config)
	}
	return nil
}

// String returns the text of the unit file.
func (u unit) String() string {
	after, runAs, wanted := "After=network.target\n", "", "multi-user.target"
	if u.ForUser {
		after, wanted = "", "default.target"
	}
	if u.RunAs != "" {
		runAs = "User=" + u.RunAs + "\n"
	}
	return fmt.Sprintf(`[Unit]
Description=tend, the process manager (%s)
%sStartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=%s serve --config %s
WorkingDirectory=%s
%sRestart=on-failure
RestartSec=1s
# The servers outlive a manager that crashes, and the next one takes them back.
KillMode=process
# Each run gets a control group of its own below this one.
Delegate=yes
# One server out of memory is no reason to end the others.
OOMPolicy=continue
TasksMax=infinity
# What stopping the servers in order may take, and some: print the unit again after raising a stop.timeout.
TimeoutStopSec=%d

[Install]
WantedBy=%s
`, unitText(u.Config), after, unitWord(u.Program), strings.ReplaceAll(unitWord(u.Config), "$", "$$"), unitText(u.Dir), runAs, int(u.StopTime.Seconds()), wanted)
}

// unitText protects what systemd would take for a specifier.
func unitText(s string) string { return strings.ReplaceAll(s, "%", "%%") }

// unitWord makes one word of a command line in a unit. In arguments, not in
// the program, a dollar has to be doubled as well.
func unitWord(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "%", "%%").Replace(s) + `"`
}

// stopTime bounds an orderly end of all servers: the longest chain of
// dependencies is stopped one after the other, and the manager has to write
// down how it went.
func stopTime(servers []services.Server) time.Duration {
	byName := make(map[string]services.Server, len(servers))
	for _, s := range servers {
		byName[s.Name] = s
	}
	known := make(map[string]time.Duration, len(servers))
	var chain func(name string) time.Duration
	chain = func(name string) time.Duration {
		if t, ok := known[name]; ok {
			return t
		}
		var below time.Duration
		for _, dep := range byName[name].Needs() {
			below = max(below, chain(dep))
		}
		known[name] = below + byName[name].Stop.Timeout
		return known[name]
	}
	var longest time.Duration
	for _, s := range servers {
		longest = max(longest, chain(s.Name))
	}
	return max(90*time.Second, 2*longest+30*time.Second).Round(time.Second)
}
