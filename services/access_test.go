package services_test

import (
	"testing"
	"time"

	"tend/services"
)

func TestEachRoleMayWhatTheOnesBeforeItMay(t *testing.T) {
	for _, c := range []struct {
		has, need services.Role
		may       bool
	}{
		{services.Viewer, services.Viewer, true}, {services.Viewer, services.Operator, false}, {services.Viewer, services.Admin, false},
		{services.Operator, services.Viewer, true}, {services.Operator, services.Operator, true}, {services.Operator, services.Admin, false},
		{services.Admin, services.Viewer, true}, {services.Admin, services.Operator, true}, {services.Admin, services.Admin, true},
		{"", services.Viewer, false}, {"", "", false}, {"root", services.Viewer, false}, {services.Admin, "root", false}, {services.Admin, "", false},
	} {
		if got := c.has.May(c.need); got != c.may {
			t.Errorf("%q where %q is needed: %v", c.has, c.need, got)
		}
	}
}

func TestWhatUsersAndTokensMayBeCalled(t *testing.T) {
	for name, good := range map[string]bool{
		"alice": true, "Alice.B": true, "alice@example.com": true, "ci-1": true, "9": true,
		"": false, "-a": false, ".": false, "a b": false, "a/b": false, "a\n": false, "é": false,
	} {
		if services.ValidAccount(name) != good {
			t.Errorf("%q: %v, want %v", name, !good, good)
		}
	}
}

func TestAnEndIsInSomeTimeOrAtAnInstant(t *testing.T) {
	now := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"30d": now.AddDate(0, 0, 30), "12h": now.Add(12 * time.Hour), "2030-01-02T03:04:06Z": now.Add(time.Second),
	} {
		if got, err := services.ParseEnd(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "d", "0d", "-1d", "30", "-12h", "0s", "never", "2030-01-02T03:04:05Z", "1e3d", "9999999999d"} {
		if got, err := services.ParseEnd(text, now); services.KindOf(err) != services.Invalid {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
}
