package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tend/services"
	"tend/services/config"
)

// say runs a command with something on its standard input.
func (d *desk) say(input, args string) (code int, stdout, stderr string) {
	d.t.Helper()
	var out, errs bytes.Buffer
	code = run(d.t.Context(), append(strings.Fields(args), "--config", filepath.Join(d.dir, "tend.yaml")), strings.NewReader(input), &out, &errs)
	return code, out.String(), errs.String()
}

// The same commands reach a manager that runs, and the file of one that does not.
func TestUsersAndTokensAreKeptWithAManagerAndWithout(t *testing.T) {
	for name, alive := range map[string]bool{"with a manager": true, "without one": false} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t)
			if !alive {
				d.end()
			}
			steps := []struct {
				input, args string
				code        int
				out, errs   string // parts
			}{
				{"correct horse\n", "users add alice --role operator --server web,db", 0, "", "alice was added as operator"},
				{"correct horse\n", "users add alice", 1, "", "there is a user alice already"},
				{"short\n", "users add bob", 2, "", "a password has 8 characters at the least"},
				{"correct horse\n", "users add bob --role admin --server web", 2, "", "an admin sees all servers"},
				{"correct horse\n", "users add ../bob", 2, "", "cannot be a name here"},
				{"", "users list", 0, "alice  operator  db, web", ""},
				{"", "users list --json", 0, `"name": "alice"`, ""},
				{"", "users role alice viewer --server web", 0, "", "alice is viewer now"},
				{"", "users role alice operator", 0, "", "alice is operator now"},
				{"", "users list", 0, "alice  operator  web", ""},
				{"another horse", "users passwd alice", 0, "", "alice has another password"},
				{"another horse", "users passwd bob", 3, "", `there is no user "bob"`},
				{"", "users remove alice", 0, "", "alice was removed"},
				{"", "users remove alice", 3, "", `there is no user "alice"`},
				{"", "tokens add ci --role operator --server web --expires 12h", 0, "tend_", "it is not shown again. It is operator until"},
				{"", "tokens add ci", 1, "", "there is a token ci already"},
				{"", "tokens list", 0, "ci    operator  web", ""},
				{"", "tokens revoke ci", 0, "", "ci was revoked"},
				{"", "tokens revoke ci", 3, "", `there is no token "ci"`},
				{"", "sessions list", 0, "ID  USER", ""},
				{"", "sessions revoke nothing", 3, "", `there is no session "nothing"`},
			}
			for _, s := range steps {
				code, out, errs := d.say(s.input, s.args)
				if code != s.code || !strings.Contains(out, s.out) || !strings.Contains(errs, s.errs) || s.out == "" && out != "" || s.errs == "" && errs != "" {
					t.Errorf("tend %s: %d %q %q, want %d %q %q", s.args, code, out, errs, s.code, s.out, s.errs)
				}
			}
			if info, err := os.Stat(filepath.Join(d.dir, ".tend", accessFile)); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("%v, %v", info, err)
			}
		})
	}
}

func TestAnAddressThatOthersReachIsRefusedUntilSomebodyCanSignIn(t *testing.T) {
	d := newDesk(t)
	d.end()
	d.write("listen: 0.0.0.0:0\nservers:\n  web: {command: web, autostart: false}\n")
	code, _, errs := d.tend("serve")
	if code != 1 || !strings.Contains(errs, "other machines reach 0.0.0.0:0, and there is nobody who could sign in: add somebody with `tend users add NAME --role admin`") {
		t.Errorf("%d %q", code, errs)
	}
	if _, err := os.Stat(filepath.Join(d.dir, ".tend", "history.db")); err == nil {
		t.Error("it had begun already")
	}
	a, _ := openAccess(filepath.Join(d.dir, ".tend"), nil)
	if err := a.AddUser(t.Context(), services.User{Name: "alice", Role: services.Admin}, "correct horse"); err != nil {
		t.Fatal(err)
	}
	if b, damage := openAccess(filepath.Join(d.dir, ".tend"), nil); damage != "" || b.Empty() {
		t.Errorf("then: %s", damage)
	}
	for _, safe := range []bool{false, true} {
		var said strings.Builder
		m := &manager{cfg: &config.Config{Listen: "0.0.0.0:0", Data: filepath.Join(d.dir, ".tend"), TLS: config.TLS{SelfSigned: safe}}}
		m.keepSecrets()
		m.log = slog.New(slog.NewTextHandler(&said, nil))
		if err := m.openAccess(); err != nil || strings.Contains(said.String(), "in clear") == safe {
			t.Errorf("with TLS %t: %v, %s", safe, err, said.String())
		}
	}
}

func TestALinkLeadsToWhereABrowserOfThisMachineReachesIt(t *testing.T) {
	for url, want := range map[string]string{
		"http://127.0.0.1:3030": "http://127.0.0.1:3030", "http://0.0.0.0:3030": "http://127.0.0.1:3030", "https://[::]:3030": "https://[::1]:3030",
		"http://localhost:80": "http://localhost:80", "http://192.0.2.1:80": "http://192.0.2.1:80",
	} {
		if got := reachable(url); got != want {
			t.Errorf("%s is reached at %s", url, got)
		}
	}
}
