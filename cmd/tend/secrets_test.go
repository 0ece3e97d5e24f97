package main

import (
	"testing"

	"tend/services"
)

func TestSettingsThatRepeatASecretDoNotShowIt(t *testing.T) {
	m := &manager{}
	m.keepSecrets()
	m.secrets.Learn("a", map[string]string{"KEY": "canary-1"})
	s := services.Settings{
		List:  []services.Setting{{Key: "command", Value: "./a --key " + "canary-1"}},
		Drift: []services.Difference{{Key: "command", Was: "./a " + "canary-1", Is: "./a --key=" + "canary-1"}},
	}
	m.conceal(&s)
	if s.List[0].Value != "./a --key [secret]" || s.Drift[0].Was != "./a [secret]" || s.Drift[0].Is != "./a --key=[secret]" {
		t.Errorf("%+v", s)
	}
}
