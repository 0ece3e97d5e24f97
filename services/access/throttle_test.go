package access

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
)

func TestTheDelayOfThoseWhoGuessGrowsAndIsBounded(t *testing.T) {
	for _, c := range []struct {
		p        pace
		failures int
		want     time.Duration
	}{
		{accountPace, 0, 0}, {accountPace, 4, 0}, {accountPace, 5, time.Second}, {accountPace, 6, 2 * time.Second}, {accountPace, 10, 32 * time.Second},
		{accountPace, 11, time.Minute}, {accountPace, 1 << 40, time.Minute}, {addressPace, 9, 0}, {addressPace, 10, time.Second}, {addressPace, 100, 5 * time.Minute},
	} {
		if got := c.p.delay(c.failures); got != c.want {
			t.Errorf("%d failures of %+v: %v, want %v", c.failures, c.p, got, c.want)
		}
	}
}

func TestWhoGuessesOneAccountFromEverywhereIsSlowedDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle()
		made := 0
		for i := range 24 * 60 * 60 { // a guess a second, for a day
			if th.admit("alice", fmt.Sprintf("10.%d.%d.%d", i>>16&255, i>>8&255, i&255)) == 0 {
				made++
			}
			time.Sleep(time.Second)
		}
		if made > 24*60+20 {
			t.Errorf("%d guesses of a day were heard", made)
		}
	})
}

func TestWhoGuessesManyAccountsFromOnePlaceIsSlowedDown(t *testing.T) {
	for name, address := range map[string]func(i int) string{
		"one address":           func(int) string { return "10.0.0.1" },
		"a network of IPv6":     func(i int) string { return fmt.Sprintf("2001:db8::%x", i) },
		"one address, mapped":   func(i int) string { return []string{"10.0.0.1", "::ffff:10.0.0.1"}[i%2] },
		"zones of one of those": func(i int) string { return fmt.Sprintf("fe80::1%%%d", i) },
	} {
		synctest.Test(t, func(t *testing.T) {
			th := newThrottle()
			made := 0
			for i := range 60 * 60 {
				if th.admit(fmt.Sprint("user", i), address(i)) == 0 {
					made++
				}
				time.Sleep(time.Second)
			}
			if made > 40 {
				t.Errorf("%s: %d guesses of an hour were heard", name, made)
			}
		})
	}
}

func TestAFailureIsForgivenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle()
		for range 5 {
			th.admit("alice", "10.0.0.1")
		}
		if wait := th.admit("alice", "10.0.0.2"); wait != time.Second {
			t.Errorf("wait %v", wait)
		}
		time.Sleep(5 * forgiven)
		for range 4 {
			if wait := th.admit("alice", "10.0.0.2"); wait != 0 {
				t.Errorf("an hour later: %v", wait)
			}
		}
	})
}

func TestManyGuessesAtOnceAreNoWayRound(t *testing.T) {
	a := open(t, &file{})
	a.mustAdd(t, "alice", services.Viewer)
	results := make(chan error, 50)
	for range 50 {
		go func() {
			_, _, err := a.SignIn(t.Context(), "alice", "wrong", home)
			results <- err
		}()
	}
	heard := 0
	for range 50 {
		var tooMany *TooMany
		if err := <-results; !errors.As(err, &tooMany) {
			heard++
		}
	}
	if heard > accountPace.free+1 {
		t.Errorf("%d guesses were heard", heard)
	}
}

func TestTheRightPasswordClearsTheAccountButNotTheAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := open(t, &file{})
		a.mustAdd(t, "alice", services.Viewer)
		a.mustAdd(t, "mallory", services.Viewer)
		heard := 0
		for i := range 100 { // mallory signs in between the guesses
			if _, _, err := a.SignIn(t.Context(), fmt.Sprint("user", i), "wrong", home); services.KindOf(err) == services.Forbidden {
				heard++
			}
			a.SignIn(t.Context(), "mallory", "correct horse", home)
		}
		if heard > addressPace.free+1 {
			t.Errorf("%d guesses were heard in one moment", heard)
		}
		elsewhere := Origin{Address: "10.0.0.9"}
		for range accountPace.free {
			a.SignIn(t.Context(), "alice", "wrong", elsewhere)
		}
		a.mustSignIn(t, "alice", elsewhere)
		for range accountPace.free {
			if _, _, err := a.SignIn(t.Context(), "alice", "wrong", Origin{Address: "10.0.0.10"}); services.KindOf(err) != services.Forbidden {
				t.Errorf("after she had signed in: %v", err)
			}
		}
	})
}
