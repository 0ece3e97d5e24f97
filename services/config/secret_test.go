package config

import (
	"path/filepath"
	"reflect"
	"testing"

	"tend/services"
)

func TestASecretIsAReferenceThatWinsOverThePlainValueOfTheDefaults(t *testing.T) {
	c := good(t, `
defaults:
  env: {PLAIN: "1", A: {secret: {file: ./shared.key}}, B: {secret: {file: /run/secrets/b, shared: true}}}
servers:
  one: {command: a, env: {PLAIN: {secret: {command: [pass, show, plain]}}, A: "2"}}
  two: {command: a, env: {C: {secret: {command: [./tell, "${X}"]}}}}
  three: {command: a}
`, "X", "y")
	b := services.Secret{File: "/run/secrets/b", Shared: true}
	shared := services.Secret{File: filepath.Join(c.Dir, "shared.key")}
	for i, want := range []struct {
		env     map[string]string
		secrets map[string]services.Secret
	}{
		{map[string]string{"A": "2"}, map[string]services.Secret{"B": b, "PLAIN": {Command: []string{"pass", "show", "plain"}, Dir: c.Dir}}},
		{map[string]string{"PLAIN": "1"}, map[string]services.Secret{"A": shared, "B": b, "C": {Command: []string{filepath.Join(c.Dir, "tell"), "y"}, Dir: c.Dir}}},
		{map[string]string{"PLAIN": "1"}, map[string]services.Secret{"A": shared, "B": b}},
	} {
		s := c.Servers[i]
		if !reflect.DeepEqual(s.Env, want.env) || !reflect.DeepEqual(s.Secrets, want.secrets) {
			t.Errorf("%s: env %v, secrets %+v", s.Name, s.Env, s.Secrets)
		}
	}
}

func TestAPlanNamesAVariableThatBecameASecret(t *testing.T) {
	was, is := base("/srv"), base("/srv")
	was.Env = map[string]string{"KEY": "canary"}
	is.Secrets = map[string]services.Secret{"KEY": {File: "/srv/key"}}
	for _, pair := range [][2]services.Server{{was, is}, {is, was}} {
		plan := Compare(pair[:1], pair[1:], nil, unhidden)
		if len(plan.Restart) != 1 || len(plan.Restart[0].Reasons) != 1 || plan.Restart[0].Reasons[0] != "env: KEY changed" {
			t.Errorf("%+v", plan)
		}
	}
	moved := base("/srv")
	moved.Secrets = map[string]services.Secret{"KEY": {File: "/srv/other"}}
	if plan := Compare([]services.Server{is}, []services.Server{moved}, nil, unhidden); len(plan.Restart) != 1 {
		t.Errorf("another file: %+v", plan)
	}
}
