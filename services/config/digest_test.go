package config

import (
	"reflect"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

// decides says of every field of a server whether it decides how the server
// is run. A new field has to be entered here, and if it does, into Digest.
var decides = map[string]bool{
	"Name": false, "Description": false, "Group": false,
	"Command.Argv": true, "Command.Shell": true,
	"Dir": true, "Env": true, "EnvFile": true, "Secrets": true, "User": true, "Umask": true,
	"Limits.Memory": true, "Limits.CPU": true, "Limits.PIDs": true, "Limits.NoFile": true, "Limits.Nice": true,
	"Type": false, "Schedule.Cron": false, "Schedule.Zone": false, "Schedule.Overlap": false,
	"Port": false, "DependsOn": false, "Autostart": false, "Restart": false,
	"Success.Codes": false, "Success.Signals": false,
	"Backoff.Min": false, "Backoff.Max": false, "Backoff.Reset": false, "Backoff.GiveUp": false,
	"Stop.Signal": false, "Stop.Timeout": false, "Stop.To": false,
	"Ready": false, "Live": false, "Watchdog.Every": true, "Watchdog.Action": false, "Silence.Every": false, "Silence.Action": false,
	"Logs.MaxSize": false, "Thresholds": false,
}

func TestTheDigestCoversWhatDecidesHowAServerRuns(t *testing.T) {
	plain := Digest(base("/srv"))
	seen := map[string]bool{}
	var walk func(path string, v reflect.Value, s *services.Server)
	walk = func(path string, v reflect.Value, s *services.Server) {
		for i := range v.NumField() {
			name, field := path+v.Type().Field(i).Name, v.Field(i)
			if field.Kind() == reflect.Struct {
				walk(name+".", field, s)
				continue
			}
			seen[name] = true
			want, classified := decides[name]
			if !classified {
				t.Errorf("the field %s is not classified: enter it in the table of this test, and in Digest if it decides how a server runs", name)
				continue
			}
			old := reflect.ValueOf(field.Interface())
			field.Set(different(t, name, field))
			if changed := Digest(*s) != plain; changed != want {
				t.Errorf("changing %s changes the digest: %v, want %v", name, changed, want)
			}
			field.Set(old)
		}
	}
	s := base("/srv")
	walk("", reflect.ValueOf(&s).Elem(), &s)
	for name := range decides {
		if !seen[name] {
			t.Errorf("%s is in the table but no longer a field", name)
		}
	}
}

// different returns another value than the one that a field has.
func different(t *testing.T, name string, field reflect.Value) reflect.Value {
	switch field.Interface().(type) {
	case []string:
		return reflect.ValueOf([]string{"other"})
	case *services.Probe:
		return reflect.ValueOf(&services.Probe{TCP: "127.0.0.1:1"})
	case *services.HTTPProbe:
		return reflect.ValueOf(&services.HTTPProbe{URL: "http://other/"})
	case []services.StatusRange:
		return reflect.ValueOf([]services.StatusRange{{From: 500, To: 500}})
	case []services.Dependency:
		return reflect.ValueOf(services.DependOn("other"))
	case []int:
		return reflect.ValueOf([]int{7})
	case []syscall.Signal:
		return reflect.ValueOf([]syscall.Signal{syscall.SIGINT})
	case []services.Threshold:
		return reflect.ValueOf([]services.Threshold{{CPU: 50}})
	case map[string]services.Secret:
		return reflect.ValueOf(map[string]services.Secret{"KEY": {File: "/other"}})
	case map[string]string:
		return reflect.ValueOf(map[string]string{"OTHER": "1"})
	}
	out := reflect.New(field.Type()).Elem()
	switch {
	case field.Kind() == reflect.String:
		out.SetString("other")
	case field.Kind() == reflect.Bool:
		out.SetBool(!field.Bool())
	case field.CanInt():
		out.SetInt(field.Int() + int64(7*time.Second))
	case field.CanFloat():
		out.SetFloat(field.Float() + 7)
	case field.CanUint():
		out.SetUint(field.Uint() + 7)
	default:
		t.Fatalf("the test does not know how to change %s of type %s", name, field.Type())
	}
	return out
}

func TestTheDigestKeepsPartsApart(t *testing.T) {
	one, two := base("/"), base("/")
	one.Command.Argv, two.Command.Argv = []string{"a", "b c"}, []string{"a b", "c"}
	if Digest(one) == Digest(two) {
		t.Error("two argument vectors have one digest")
	}
	one.Command, two.Command = services.Command{Argv: []string{"/bin/sh", "-c", "x"}}, services.Command{Shell: "x"}
	if Digest(one) == Digest(two) {
		t.Error("a list and a line have one digest")
	}
}

// The digest is written to disk and compared by a later version: it must not
// change by accident.
func TestTheDigestIsStable(t *testing.T) {
	s := base("/srv/app")
	s.Command.Argv, s.Env = []string{"./app", "--port", "80"}, map[string]string{"B": "2", "A": "1"}
	if got, want := Digest(s), "22b31e0827022131"; got != want {
		t.Errorf("the digest is %s, was %s: every running server would look changed after an upgrade", got, want)
	}
}

func TestTheListOfServerKeysIsWhatIsRead(t *testing.T) {
	d := decoder{}
	known := d.serverFields("a", &draft{})
	for _, key := range serverKeys {
		if known[key] == nil {
			t.Errorf("%s is listed but not read", key)
		}
	}
	if len(known) != len(serverKeys) {
		t.Errorf("%d keys are read, %d are listed", len(known), len(serverKeys))
	}
}
