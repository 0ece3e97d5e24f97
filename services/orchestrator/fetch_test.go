package orchestrator

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
)

// fakeSecrets takes a second to tell a value, unless it is not waited for.
type fakeSecrets struct {
	mu    sync.Mutex // guards what follows
	reads int
	fail  error
}

func (f *fakeSecrets) Read(ctx context.Context, s services.Server) (map[string]string, error) {
	f.mu.Lock()
	f.reads++
	err := f.fail
	f.mu.Unlock()
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
		return nil, services.Errorf(services.Unavailable, "not waited for")
	}
	return map[string]string{"KEY": "canary of " + s.Secrets["KEY"].File}, err
}

func (f *fakeSecrets) Hide(text string) string { return strings.ReplaceAll(text, "canary", "[secret]") }

func (f *fakeSecrets) failing(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail = err
}

func secret(file string) func(*services.Server) {
	return func(s *services.Server) { s.Secrets = map[string]services.Secret{"KEY": {File: file}} }
}

// openWithSecrets opens a house of one server that has a secret.
func openWithSecrets(t *testing.T, change ...func(*services.Server)) (*house, *fakeSecrets) {
	host, keys := newFakeHost(), &fakeSecrets{}
	host.secrets = keys
	h := open(t, host, nil, true, server("api", append(change, secret("/one"))...))
	synctest.Wait()
	return h, keys
}

func TestSecretsAreReadAnewBeforeEachStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, keys := openWithSecrets(t)
		defer h.close()
		h.phase("api", services.Starting)
		if why := h.get("api").Why; why != "starting: reading its secrets" {
			t.Errorf("why: %q", why)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		h.phase("api", services.Running)
		h.host.crash("api", 1)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		h.phase("api", services.Running)
		if keys.reads != 2 || len(h.host.given) != 2 || h.host.given[1]["KEY"] != "canary of /one" {
			t.Errorf("%d reads, given %v", keys.reads, h.host.given)
		}
	})
}

func TestASecretThatCannotBeReadFailsTheServerOrIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, keys := openWithSecrets(t, off)
		defer h.close()
		keys.failing(services.Errorf(services.Invalid, "the canary is missing"))
		h.order(services.Start, "api")
		time.Sleep(2 * time.Second)
		synctest.Wait()
		h.phase("api", services.Failed)
		if why := h.get("api").Why; why != "cannot start: the [secret] is missing" {
			t.Errorf("why: %q", why)
		}
		for _, rec := range h.trades.all() {
			if strings.Contains(rec.Why, "canary") {
				t.Errorf("recorded: %q", rec.Why)
			}
		}
		keys.failing(services.Errorf(services.Unavailable, "not now"))
		h.order(services.Start, "api")
		time.Sleep(1010 * time.Millisecond)
		synctest.Wait()
		h.phase("api", services.BackOff)
		keys.failing(nil)
		time.Sleep(3 * time.Second)
		synctest.Wait()
		h.phase("api", services.Running)
		if h.starts("api") != 1 {
			t.Errorf("it was started %d times", h.starts("api"))
		}
	})
}

func TestAStopDoesNotWaitForSecretsAndNothingIsStarted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := openWithSecrets(t)
		defer h.close()
		began := time.Now()
		h.order(services.Stop, "api")
		synctest.Wait()
		h.phase("api", services.Stopped)
		if took := time.Since(began); took != 0 || h.starts("api") != 0 {
			t.Errorf("it took %v, and %d starts", took, h.starts("api"))
		}
	})
}

func TestAStartRightAfterAStopReadsTheSecretsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, keys := openWithSecrets(t)
		defer h.close()
		u := h.roster.Load().byName["api"]
		for _, kind := range []InputKind{OrderStop, OrderStart} {
			if err := u.send(t.Context(), message{order: &Input{Kind: kind}}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		h.phase("api", services.Running)
		if keys.reads != 2 || h.starts("api") != 1 || h.get("api").Restarts != 0 {
			t.Errorf("%d reads, %d starts, %d restarts", keys.reads, h.starts("api"), h.get("api").Restarts)
		}
	})
}

func TestTheEndOfTheManagerDoesNotWaitForSecrets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := openWithSecrets(t)
		began := time.Now()
		h.close()
		if took := time.Since(began); took != 0 || h.starts("api") != 0 {
			t.Errorf("it took %v, and %d starts", took, h.starts("api"))
		}
	})
}

func TestSecretsThatMoveWhileTheyAreReadAreReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := openWithSecrets(t)
		defer h.close()
		moved := server("api", secret("/two"))
		plan := services.Plan{Restart: []services.Change{{Server: "api"}}}
		if err := h.Reload(t.Context(), []services.Server{moved}, plan, "test"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		h.phase("api", services.Running)
		if len(h.host.given) != 1 || h.host.given[0]["KEY"] != "canary of /two" {
			t.Errorf("given %v", h.host.given)
		}
	})
}
