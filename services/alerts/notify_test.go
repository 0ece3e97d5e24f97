package alerts

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tend/services"
)

// reachable are the services whose address names the host, with a word for it.
var reachable = map[string]string{
	"generic":    "generic+http://HOST/canary",
	"ntfy":       "ntfy://:canary@HOST/topic?disabletls=yes",
	"gotify":     "gotify://HOST/Acanary12345678?disabletls=yes",
	"mattermost": "mattermost://HOST/canary?disabletls=yes",
	"matrix":     "matrix://user:canary@HOST/?rooms=!room:HOST&disabletls=yes", // says nothing of why
	"signal":     "signal://user:canary@HOST/+15551234567/+15557654321?disabletls=yes",
	"bark":       "bark://:canary@HOST/?scheme=http",
}

// guarded has the program's transport in place, as the program does.
func guarded(t *testing.T) {
	before := http.DefaultTransport
	http.DefaultTransport = NewTransport(nil)
	t.Cleanup(func() { http.DefaultTransport = before })
}

func hello() Message {
	return Message{Status: "firing", Host: "box", Alerts: []Alert{{On: services.OnCrash, Server: "web", Message: "web: exited with code 3", Count: 1, At: services.Time{Time: time.Now()}}}}
}

func TestNoNotificationServiceFollowsARedirect(t *testing.T) {
	guarded(t)
	var hits atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	defer elsewhere.Close()
	var asked atomic.Int32
	first := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	}))
	defer first.Close()
	for name, address := range reachable {
		asked.Store(0)
		err := notify(t.Context(), strings.ReplaceAll(address, "HOST", first.Listener.Addr().String()), hello())
		if err == nil || name != "matrix" && !strings.Contains(err.Error(), "redirects are not followed") || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
		if asked.Load() == 0 || hits.Load() > 0 {
			t.Errorf("%s: asked %d times, led elsewhere %d times", name, asked.Load(), hits.Load())
		}
	}
}

func TestNoNotificationServiceGoesWhereSecretsOfMachinesAre(t *testing.T) {
	guarded(t)
	all := map[string]string{"smtp": "smtp://user:canary@HOST/?from=a@example.com&to=b@example.com"}
	maps.Copy(all, reachable)
	for name, address := range all {
		err := notify(t.Context(), strings.ReplaceAll(address, "HOST", "169.254.169.254:80"), hello())
		if err == nil || name != "matrix" && !strings.Contains(err.Error(), errForbidden.Error()) || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v", name, err)
		}
		if final, _ := verdict(err); !final && name != "matrix" {
			t.Errorf("%s: %v is tried again", name, err)
		}
	}
}
