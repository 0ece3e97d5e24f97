package access

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
)

func TestAPasswordIsKnownAgainByItsHashAlone(t *testing.T) {
	h := newHasher(cheap)
	hash, err := h.hash(t.Context(), "correct horse")
	if err != nil || !strings.HasPrefix(hash, "$argon2id$v=19$m=8,t=1,p=1$") {
		t.Fatal(hash, err)
	}
	if other, _ := h.hash(t.Context(), "correct horse"); other == hash {
		t.Error("two hashes are the same: there is no salt")
	}
	for password, want := range map[string]bool{"correct horse": true, "correct horse ": false, "Correct horse": false, "": false, strings.Repeat("x", 2000): false} {
		if right, stale, err := h.check(t.Context(), hash, password); right != want || stale || err != nil {
			t.Errorf("%.20q: %v, %v, %v", password, right, stale, err)
		}
	}
	if right, stale, _ := newHasher(cost{16, 1, 1}).check(t.Context(), hash, "correct horse"); !right || !stale {
		t.Errorf("at another cost: %v, stale %v", right, stale)
	}
	for _, broken := range []string{"", "x", hash[:20], strings.Replace(hash, "argon2id", "argon2i", 1), hash + "$", "$argon2id$v=19$m=8,t=1,p=1$$"} {
		if right, _, err := h.check(t.Context(), broken, ""); right || err != nil {
			t.Errorf("%q lets somebody in, %v", broken, err)
		}
	}
}

func TestAHashThatCostsTooLittleIsMadeAnew(t *testing.T) {
	f := &file{}
	open(t, f).mustAdd(t, "alice", services.Viewer)
	a := open(t, f)
	a.hasher = newHasher(cost{16, 1, 1})
	for range 2 {
		if _, _, err := a.SignIn(t.Context(), "alice", "correct horse", home); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(string(f.data), "m=16,t=1,p=1") {
		t.Errorf("it is as it was: %s", f.data)
	}
}

// An unknown user costs one hash at the usual cost, as a known one does: what
// can be timed is the hash, so this counts hashes.
func TestAnUnknownUserIsToldTheSameForTheSamePrice(t *testing.T) {
	a := open(t, &file{})
	a.mustAdd(t, "alice", services.Viewer)
	var said []string
	for _, name := range []string{"alice", "nobody"} {
		a.hasher.slots <- struct{}{}
		a.hasher.slots <- struct{}{} // nothing can be hashed
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := a.SignIn(ctx, name, "wrong", home); err != context.Canceled { //nolint:errorlint // it is passed on
			t.Errorf("%s is answered without a hash: %v", name, err)
		}
		<-a.hasher.slots
		<-a.hasher.slots
		_, _, err := a.SignIn(t.Context(), name, "wrong", home)
		said = append(said, err.Error())
	}
	if said[0] != said[1] {
		t.Errorf("they are told apart: %q", said)
	}
}

func TestAFloodOfSignInsHashesTwoAtATimeAndTurnsTheRestAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHasher(cheap)
		hold, results := make(chan struct{}), make(chan error, 100)
		var at atomic.Int32
		for range 100 {
			go func() { results <- h.do(t.Context(), func() { at.Add(1); <-hold }) }()
			synctest.Wait()
		}
		if got := at.Load(); got != hashing {
			t.Errorf("%d hashes at a time", got)
		}
		turnedAway := len(results)
		if turnedAway != 100-hashing-queued {
			t.Errorf("%d were turned away", turnedAway)
		}
		for range turnedAway {
			if err := <-results; services.KindOf(err) != services.Unavailable {
				t.Errorf("turned away with %v", err)
			}
		}
		close(hold)
		synctest.Wait()
		for range hashing + queued {
			if err := <-results; err != nil {
				t.Error(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := h.do(ctx, func() {}); err != nil {
			t.Errorf("after the flood: %v", err)
		}
	})
}
