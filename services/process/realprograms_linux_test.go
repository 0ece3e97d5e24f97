package process

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

// program is a server from the real world, with the habits that make it hard
// to keep: daemons that leave their session, titles that overwrite the
// environment, workers in sessions of their own.
type program struct {
	name    string
	server  services.Server
	port    int
	workers int // at least so many processes when it is up
	daemon  bool
}

// shown leaves a command line as it is.
func shown(line string) string { return line }

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// where finds a program in PATH or in one of the further places.
func where(t *testing.T, name string, places ...string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	for _, pattern := range places {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			return found[len(found)-1]
		}
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// openDir returns a directory that other users can enter.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "tend-real-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	os.Chmod(dir, 0o755)
	return dir
}

func nginx(t *testing.T) program {
	path, dir, port := where(t, "nginx", "/usr/sbin/nginx"), openDir(t), freePort(t)
	text := fmt.Sprintf(`daemon on; worker_processes 2; pid %[1]s/pid; error_log stderr;
events {}
http { access_log off; client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
server { listen 127.0.0.1:%[2]d; } }`, dir, port)
	config := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	s := services.Server{Name: "nginx", Dir: dir, Umask: -1, Command: services.Command{Argv: []string{path, "-e", "stderr", "-c", config}}}
	return program{"nginx with daemon on", s, port, 3, true}
}

func redis(t *testing.T) program {
	path, dir, port := where(t, "redis-server"), openDir(t), freePort(t)
	s := services.Server{Name: "redis", Dir: dir, Umask: -1, Command: services.Command{Argv: []string{path,
		"--daemonize", "yes", "--port", fmt.Sprint(port), "--bind", "127.0.0.1", "--save", "", "--dir", dir}}}
	return program{"redis --daemonize yes", s, port, 1, true}
}

func postgres(t *testing.T) program {
	path := where(t, "no-postgres-in-path", "/usr/lib/postgresql/*/bin/postgres")
	if os.Getuid() != 0 {
		t.Skip("PostgreSQL is run as its own user, which only root can do")
	}
	dir, port := openDir(t), freePort(t)
	if out, err := exec.Command("chown", "postgres", dir).CombinedOutput(); err != nil {
		t.Skipf("there is no user postgres: %s", out)
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command("su", "postgres", "-c", fmt.Sprintf("%s/initdb -D %s -A trust --no-sync", filepath.Dir(path), data))
	initdb.Dir = dir
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	s := services.Server{Name: "postgres", User: "postgres", Dir: dir, Umask: -1, Command: services.Command{Argv: []string{path,
		"-D", data, "-p", fmt.Sprint(port), "-h", "127.0.0.1", "-k", dir}}}
	return program{"PostgreSQL", s, port, 5, false}
}

func (p program) answers() bool {
	conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", p.port), time.Second)
	if err != nil {
		return false
	}
	conn.Close()
	return true
}

// up waits until the program serves and its processes are known.
func (b *bench) up(prog program, p *Process) []services.Identity {
	b.t.Helper()
	var members []services.Identity
	until(b.t, prog.name+" is up", func() bool {
		members, _ = b.members(p.Run())
		return prog.answers() && len(members) >= prog.workers && living(p.Run().Leader)
	})
	return members
}

// ends stops the program and checks that nothing of it is left.
func (b *bench) ends(prog program, p *Process, members []services.Identity) {
	b.t.Helper()
	if err := p.Signal(syscall.SIGTERM, services.ToGroup); err != nil {
		b.t.Error(err)
	}
	select {
	case <-p.Gone():
	case <-time.After(5 * time.Second):
		p.Kill()
		wait(b.t, "the end of "+prog.name, p.Gone())
	}
	for _, id := range members {
		if living(id) {
			b.t.Errorf("pid %d (%s) is alive", id.PID, commandLine(id.PID, shown))
			syscall.Kill(id.PID, syscall.SIGKILL)
		}
	}
	if prog.answers() {
		b.t.Errorf("port %d still answers", prog.port)
	}
}

var programs = map[string]func(*testing.T) program{"nginx": nginx, "redis": redis, "postgres": postgres}

func TestRealProgramsAreStoppedWithNothingLeft(t *testing.T) {
	for name, make := range programs {
		t.Run(name, func(t *testing.T) {
			eachTier(t, func(t *testing.T, without Without) {
				prog := make(t)
				b := open(t, "real", without)
				p := b.start(prog.server)
				members := b.up(prog, p)
				select {
				case <-p.Exited():
					text, _ := os.ReadFile(b.log)
					t.Fatalf("it counts as ended (%s): %s", p.Exit().Reason(), text)
				default:
				}
				b.ends(prog, p, members)
			})
		})
	}
}

func TestRealProgramsAreTakenOverFromAManagerThatWasKilled(t *testing.T) {
	for name, make := range programs {
		t.Run(name, func(t *testing.T) {
			eachTier(t, func(t *testing.T, without Without) {
				prog := make(t)
				first := services.Identity{}
				run := orphan(t, "taken", without, prog.server, func(r services.Run) bool {
					if first.PID == 0 {
						first = r.Leader
					}
					until(t, prog.name+" answers", prog.answers)
					return (r.Leader != first || !prog.daemon) && living(r.Leader) && (without.Cgroup == false || len(r.Members)+1 >= prog.workers) && !strings.Contains(commandLine(r.Leader.PID, shown), "sh -c")
				})
				b := open(t, "taken", without)
				found, err := b.Find([]services.Run{run})
				if err != nil || len(found) != 1 {
					t.Fatalf("found %+v, %v", found, err)
				}
				p, err := b.Adopt(found[0])
				if err != nil {
					t.Fatal(err)
				}
				members := b.up(prog, p)
				b.ends(prog, p, members)
			})
		})
	}
}
