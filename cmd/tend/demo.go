package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"tend/services"
	"tend/services/config"
)

func demoCommand() *cobra.Command {
	o := serveOptions{demo: true}
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show the dashboard with half a dozen servers that ship inside this program",
		Long: `Show the dashboard with half a dozen real servers that ship inside this program, in a throw-away directory.

Ctrl-C stops them and removes the directory. After kill -9 the next tend demo takes them back.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			defer thrift()()
			return demo(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&o.listen, "listen", "127.0.0.1:3030", "address of the dashboard")
	return cmd
}

// demo serves a configuration of its own. The directory's name depends on the
// user and the address alone, so that a demo that was killed finds its servers
// again.
func demo(ctx context.Context, o serveOptions, stdout, stderr io.Writer) error {
	_, port, err := net.SplitHostPort(o.listen)
	if err != nil {
		return usageError("--listen %s: write it as 127.0.0.1:3030", o.listen)
	}
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("tend-demo-%d-%s", os.Getuid(), port))
	made, err := privateDir(dir)
	if err != nil {
		return err
	}
	path := filepath.Join(dir, "tend.yaml")
	text, err := demoConfig(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	cfg, err := config.Load(path)
	if err != nil {
		return err
	}
	o.ready = func(address string) {
		fmt.Fprintf(stdout, "tend demo: open http://%s in a browser. Ctrl-C ends it.\n", address)
		fmt.Fprintf(stdout, "Or from another shell: %s status --config %s\n", os.Args[0], path)
	}
	kept, err := serve(ctx, cfg, o, stderr)
	if !made && services.KindOf(err) == services.Conflict {
		return fmt.Errorf("%w; for a second demo choose another address with --listen 127.0.0.1:PORT", err)
	}
	if kept || err != nil && !made { // servers that run on need their directory
		return err
	}
	return errors.Join(err, os.RemoveAll(dir))
}

// privateDir makes a directory that only we can use, or checks that the one
// there is.
func privateDir(dir string) (made bool, err error) {
	switch err := os.Mkdir(dir, 0o700); {
	case err == nil:
		return true, nil
	case !os.IsExist(err):
		return false, err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return false, err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || info.Mode().Perm()&0o077 != 0 || !ok || int(owner.Uid) != os.Getuid() {
		return false, services.Errorf(services.Conflict, "%s exists and is not a private directory of yours: remove it, or set TMPDIR", dir)
	}
	return false, nil
}

// demoConfig returns the text of the demo's configuration. The port of an
// earlier demo, whose servers may still be alive, is used again.
func demoConfig(earlier string) (string, error) {
	self, err := os.Executable()
	if err != nil {
		return "", err
	}
	port := 0
	if cfg, err := config.Load(earlier); err == nil && len(cfg.Servers) > 0 {
		port = cfg.Servers[0].Port
	}
	if port == 0 {
		if port, err = freePort(3031, 3131); err != nil {
			return "", err
		}
	}
	return strings.NewReplacer("SELF", self, "PORT", fmt.Sprint(port)).Replace(demoText), nil
}

// freePort returns the first port of a range that nobody listens on.
func freePort(from, to int) (int, error) {
	for port := from; port < to; port++ {
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			l.Close()
			return port, nil
		}
	}
	return 0, services.Errorf(services.Conflict, "no port from %d to %d is free for the demo's web server", from, to-1)
}

const demoText = `# The demo's servers: real processes that ship inside the tend program.
listen: 127.0.0.1:3030
servers:
  web:
    description: answers on a port
    group: site
    command: ["SELF", servant, web, --port, "PORT"]
    port: PORT
    live: {http: "http://127.0.0.1:PORT/"}
  worker:
    description: needs the web server
    group: site
    command: ["SELF", servant, worker, --port, "PORT"]
    depends_on: [web]
  flaky:
    description: crashes now and then
    group: trouble
    command: ["SELF", servant, flaky]
    backoff: {min: 2s}
  stubborn:
    description: ignores SIGTERM
    group: trouble
    command: ["SELF", servant, stubborn]
    stop: {timeout: 3s}
  family:
    description: forks children, one of them leaves its session
    group: habits
    command: ["SELF", servant, family]
  chatty:
    description: writes a lot, in colours
    group: habits
    command: ["SELF", servant, chatty]
    logs: {max_size: 1MB}
`
