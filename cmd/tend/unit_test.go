package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tend/services"
)

func TestUnitSaysHowTheManagerIsRun(t *testing.T) {
	path := configFile(t, "servers: {a: {command: a}}\n")
	var out strings.Builder
	if err := printUnit(path, false, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"Type=notify", "KillMode=process", "Delegate=yes", "OOMPolicy=continue", "Restart=on-failure", "TimeoutStopSec=90",
		`ExecStart="` + self + `" serve --config "` + path + `"`, "WorkingDirectory=" + filepath.Dir(path), "WantedBy=multi-user.target",
	} {
		if !strings.Contains(out.String(), "\n"+line+"\n") {
			t.Errorf("the line %q is missing in\n%s", line, out.String())
		}
	}
}

func TestUnitNeedsAGoodConfiguration(t *testing.T) {
	var out strings.Builder
	path := configFile(t, "servers: {a: {}}\n")
	if err := printUnit(path, false, &out, io.Discard); services.KindOf(err) != services.Invalid || out.Len() > 0 {
		t.Errorf("printed %q (%v)", out.String(), err)
	}
}

func TestUnitIsCleanForSystemd(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	odd := filepath.Join(t.TempDir(), `my "own" $HOME 100% \dir`)
	if err := os.Mkdir(odd, 0o700); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "my $HOME 100% tend")
	if err := os.Symlink("/bin/true", program); err != nil {
		t.Fatal(err)
	}
	for _, u := range []unit{
		{Program: "/bin/true", Config: "/srv/tend.yaml", Dir: "/", StopTime: time.Minute},
		{Program: "/bin/true", Config: "/srv/tend.yaml", Dir: "/", StopTime: time.Minute, RunAs: "daemon"},
		{Program: "/bin/true", Config: "/srv/tend.yaml", Dir: "/", StopTime: time.Minute, ForUser: true},
		{Program: program, Config: filepath.Join(odd, "tend.yaml"), Dir: odd, StopTime: time.Minute},
	} {
		file := filepath.Join(t.TempDir(), "tend.service")
		if err := os.WriteFile(file, []byte(u.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		args := []string{"verify", "--man=no", file}
		if u.ForUser {
			args = append(args, "--user")
		}
		cmd := exec.CommandContext(t.Context(), analyze, args...)
		cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+t.TempDir())
		if said, err := cmd.CombinedOutput(); err != nil || len(said) > 0 {
			t.Errorf("systemd-analyze says %s (%v) of\n%s", said, err, u)
		}
	}
}

func TestUnitRefusesPathsThatSystemdCannotRead(t *testing.T) {
	for _, u := range []unit{
		{Program: "/opt/my\"own/tend", Config: "/tend.yaml"},
		{Program: `/opt/my\own/tend`, Config: "/tend.yaml"},
		{Program: "/tend", Config: "/srv/a\nUser=root/tend.yaml"},
	} {
		if err := u.possible(); services.KindOf(err) != services.Invalid {
			t.Errorf("%+v: %v", u, err)
		}
	}
	if err := (unit{Program: "/opt/my own/tend", Config: `/srv/"a"/tend.yaml`}).possible(); err != nil {
		t.Error(err)
	}
}

func TestUnitLeavesTimeForTheLongestChain(t *testing.T) {
	server := func(name string, timeout time.Duration, deps ...string) services.Server {
		return services.Server{Name: name, DependsOn: services.DependOn(deps...), Stop: services.StopPolicy{Timeout: timeout}}
	}
	got := stopTime([]services.Server{
		server("db", time.Minute), server("api", 2*time.Minute, "db", "cache"), server("cache", time.Second), server("alone", 100*time.Second),
	})
	if want := 2*3*time.Minute + 30*time.Second; got != want {
		t.Errorf("leaves %s, want %s", got, want)
	}
	if got := stopTime(nil); got != 90*time.Second {
		t.Errorf("leaves %s without servers", got)
	}
}
