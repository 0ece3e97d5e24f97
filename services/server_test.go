package services_test

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"tend/services"
)

func TestTheDelayDoublesUpToItsMaximum(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		backoff services.Backoff
		want    map[int]time.Duration // by the number of failures
	}{
		"the default":          {services.Backoff{Min: 100 * ms, Max: 30 * time.Second}, map[int]time.Duration{1: 100 * ms, 2: 200 * ms, 3: 400 * ms, 9: 25600 * ms, 10: 30 * time.Second, 1 << 40: 30 * time.Second}},
		"no failure yet":       {services.Backoff{Min: 100 * ms, Max: time.Second}, map[int]time.Duration{0: 100 * ms, -1: 100 * ms}},
		"without delay":        {services.Backoff{Min: 0, Max: time.Second}, map[int]time.Duration{1: 0, 2: 0, math.MaxInt: 0}},
		"always the same":      {services.Backoff{Min: time.Second, Max: time.Second}, map[int]time.Duration{1: time.Second, 2: time.Second, 50: time.Second}},
		"the maximum is less":  {services.Backoff{Min: time.Minute, Max: time.Second}, map[int]time.Duration{1: time.Second, 5: time.Second}},
		"no double of it fits": {services.Backoff{Min: 700 * ms, Max: time.Second}, map[int]time.Duration{1: 700 * ms, 2: time.Second}},
		"longer than anybody":  {services.Backoff{Min: 1, Max: math.MaxInt64}, map[int]time.Duration{63: 1 << 62, 64: math.MaxInt64, 1000: math.MaxInt64}},
	} {
		for failures, want := range c.want {
			if got := c.backoff.Delay(failures); got != want {
				t.Errorf("%s: %v after %d failures, want %v", name, got, failures, want)
			}
		}
	}
}

func TestWhichNamesAServerMayHave(t *testing.T) {
	for _, name := range []string{"a", "0", "api", "api-2", "a_b", "7-up", strings.Repeat("x", 63)} {
		if !services.ValidName(name) {
			t.Errorf("%q is refused", name)
		}
	}
	for _, name := range []string{"", "-a", "_a", "Api", "a b", "a.b", "a/b", "..", "ä", "a\n", "a\x00", strings.Repeat("x", 64)} {
		if services.ValidName(name) {
			t.Errorf("%q is accepted", name)
		}
	}
}

func TestACommandIsAListAsItIsOrALineForTheShell(t *testing.T) {
	if got := (services.Command{Argv: []string{"echo", "$HOME; x"}}).List(); !slices.Equal(got, []string{"echo", "$HOME; x"}) {
		t.Errorf("list %q", got)
	}
	if got := (services.Command{Shell: "echo $HOME; x"}).List(); !slices.Equal(got, []string{"/bin/sh", "-c", "echo $HOME; x"}) {
		t.Errorf("line %q", got)
	}
}

func TestTheConditionsAreThoseThatAreNotTheUsual(t *testing.T) {
	s := services.Server{DependsOn: services.DependOn("db", "cache", "migrate")}
	if until := s.Until(); until != nil {
		t.Errorf("all usual: %v", until)
	}
	s.DependsOn[1].Until, s.DependsOn[2].Until = services.UntilStarted, services.UntilCompleted
	if until := s.Until(); !maps.Equal(until, services.Conditions{"cache": services.UntilStarted, "migrate": services.UntilCompleted}) {
		t.Errorf("%v", until)
	}
}
