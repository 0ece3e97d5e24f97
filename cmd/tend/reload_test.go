package main

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"tend/services/config"
)

// planned are the fields of a configuration that a reload looks at elsewhere,
// and those that cannot change.
var planned = map[string]bool{"Path": true, "Dir": true, "Servers": true, "Alerts": true, "origins": true}

func TestAReloadNamesEveryKeyThatItCannotApply(t *testing.T) {
	m := &manager{cfg: &config.Config{Monitor: config.Monitor{Interval: time.Second}}}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[config.Config]()) {
		if planned[field.Name] {
			continue
		}
		cfg := *m.cfg
		v := reflect.ValueOf(&cfg).Elem().FieldByIndex(field.Index)
		if v.Kind() == reflect.Struct {
			v = v.Field(0)
		}
		switch {
		case v.Kind() == reflect.String:
			v.SetString("other")
		case v.Kind() == reflect.Bool:
			v.SetBool(!v.Bool())
		case v.Kind() == reflect.Slice:
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		case v.CanInt():
			v.SetInt(v.Int() + 7)
		default:
			t.Errorf("the test does not know how to change %s", field.Name)
			continue
		}
		if later := m.later(&cfg); len(later) != 1 {
			t.Errorf("changing %s gives %q", field.Name, later)
		}
	}
	if later := m.later(m.cfg); len(later) != 0 {
		t.Errorf("nothing has changed, and later is %q", later)
	}
}

func TestAReloadOfAFileWithProblemsEndsAsItsCheckDoes(t *testing.T) {
	d := newDesk(t)
	d.expect("reload", 0, "nothing changes (0 servers)\n", "")
	d.write("servers:\n  web: {comand: web}\n")
	for args, says := range map[string]string{"check": "2 problems in ", "reload": "tend.yaml:2:9: web: comand is not a key", "reload --dry-run": "tend.yaml:2:9: web: comand is not a key"} {
		if code, _, errs := d.tend(strings.Fields(args)...); code != 1 || !strings.Contains(errs, says) {
			t.Errorf("tend %s: %d %q, want 1 and %q", args, code, errs, says)
		}
	}
}
