package config

import (
	"errors"
	"strings"
	"testing"
)

func TestNoAlertIsConfiguredToGoWhereSecretsOfMachinesAre(t *testing.T) {
	for _, host := range []string{"169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "100.100.100.200:80", "0.0.0.0"} {
		got := problems(t, "alerts: [{on: [crash], webhook: 'http://"+host+"/canary'}]\nservers: {a: {command: a}}\n")
		if len(got) != 1 || !strings.HasPrefix(got[0], "1:33: alerts[0].webhook names ") || !strings.Contains(got[0], "where no alert is sent") || strings.Contains(got[0], "canary") {
			t.Errorf("%s: %q", host, got)
		}
	}
}

func TestAnAddressThatItsServiceDoesNotUnderstandIsAProblemWithItsLine(t *testing.T) {
	path := file(t, "servers: {a: {command: a}}\nalerts:\n  - {on: [crash], notify: 'slack://canary'}\n")
	asked := ""
	_, err := LoadChecked(path, environment(), func(address string) error {
		asked = address
		return errors.New("no token")
	})
	if want := path + ":3:27: alerts[0].notify is no address as slack wants it (no token): write it as https://github.com/nicholas-fedor/shoutrrr says"; err == nil || err.Error() != want || asked != "slack://canary" {
		t.Errorf("said %v, asked for %s", err, asked)
	}
}
