package handlers

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/gorilla/mux"

	"tend/handlers/api"
	"tend/services"
)

func TestTheContractDescribesEveryCallAndNoOther(t *testing.T) {
	text, err := os.ReadFile("api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var contract struct {
		Paths map[string]map[string]any
	}
	if err := yaml.Unmarshal(text, &contract); err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for path, calls := range contract.Paths {
		for method := range calls {
			if method != "parameters" {
				described[strings.ToUpper(method)+" "+path] = true
			}
		}
	}
	mounted := map[string]bool{}
	newApp(t).routes().Walk(func(r *mux.Route, _ *mux.Router, _ []*mux.Route) error {
		path, _ := r.GetPathTemplate()
		methods, _ := r.GetMethods()
		for _, method := range methods {
			if method != "HEAD" && (strings.HasPrefix(path, "/api/") || path == "/healthz" || path == "/metrics") {
				mounted[method+" "+path] = true
			}
		}
		return nil
	})
	if !maps.Equal(described, mounted) {
		t.Errorf("described:\n%v\nmounted:\n%v", slices.Sorted(maps.Keys(described)), slices.Sorted(maps.Keys(mounted)))
	}
}

func TestTheContractDescribesEveryFieldOfAStatus(t *testing.T) {
	text, err := os.ReadFile("api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var contract struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]any
			}
		}
	}
	if err := yaml.Unmarshal(text, &contract); err != nil {
		t.Fatal(err)
	}
	for schema, value := range map[string]any{
		"ServerStatus": services.Status{}, "Sample": services.Sample{}, "Plan": api.Plan{}, "TreeProcess": services.TreeProcess{}, "AlertTarget": services.AlertTarget{}, "AlertTest": services.AlertTest{}, "HistoryPage": services.HistoryPage{}, "RunPage": api.RunPage{}, "PastRun": services.PastRun{},
		"Me": api.Me{}, "User": services.User{}, "Token": services.Token{}, "MadeToken": api.MadeToken{}, "Session": services.Session{}, "Link": api.Link{},
		"Change": services.Change{}, "Exit": services.Exit{},
		"Event": services.Event{Server: "web", By: "policy", Crash: true, Resolve: true, Status: &services.Status{}},
	} {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil {
			t.Fatal(err)
		}
		want := slices.Sorted(maps.Keys(fields))
		if got := slices.Sorted(maps.Keys(contract.Components.Schemas[schema].Properties)); !slices.Equal(got, want) {
			t.Errorf("%s: described\n%v, has\n%v", schema, got, want)
		}
	}
}

// described is what the contract says of one call.
type described struct {
	Parameters []struct {
		Ref      string `yaml:"$ref"`
		Name, In string
	}
	Responses map[string]any
}

// calls yields every call of the contract, with the names of its parameters in
// the query.
func calls(t *testing.T, each func(method, path string, call described, query []string)) {
	t.Helper()
	text, err := os.ReadFile("api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var contract struct {
		Paths map[string]map[string]any
	}
	if err := yaml.Unmarshal(text, &contract); err != nil {
		t.Fatal(err)
	}
	for path, list := range contract.Paths {
		for method, value := range list {
			if method == "parameters" {
				continue
			}
			var call described
			text, err := yaml.Marshal(value)
			if err == nil {
				err = yaml.Unmarshal(text, &call)
			}
			if err != nil {
				t.Fatal(err)
			}
			var query []string
			for _, p := range call.Parameters {
				if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
					query = append(query, name)
				} else if p.In == "query" {
					query = append(query, p.Name)
				}
			}
			each(strings.ToUpper(method), strings.ReplaceAll(path, "{id}", "web"), call, query)
		}
	}
}

// TestTheContractNamesEveryAnswerToABadRequest makes each mistake with each
// call: what is answered then is what the contract says can be answered.
func TestTheContractNamesEveryAnswerToABadRequest(t *testing.T) {
	a := newApp(t, func(d *Deps) {
		d.Metrics = http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
		d.Reload = func(context.Context, bool, string, string) (services.Plan, error) { return services.Plan{}, nil }
		d.Access = invite(t).Access
	})
	calls(t, func(method, path string, call described, query []string) {
		ask := func(what, target string, header ...string) {
			t.Helper()
			w := a.serve(request(method, target, "", header...))
			if _, known := call.Responses[strconv.Itoa(w.Code)]; w.Code >= 400 && !known {
				t.Errorf("%s of %s %s is answered with %d, which the contract does not know: %s", what, method, path, w.Code, w.Body)
			}
			if what == "an unknown parameter" && path != "/healthz" && path != "/metrics" && w.Code != http.StatusBadRequest {
				t.Errorf("%s %s takes a parameter that nobody knows: %d %s", method, path, w.Code, w.Body)
			}
			if what != "an unknown parameter" && strings.Contains(w.Body.String(), "there is no parameter") {
				t.Errorf("%s of %s %s: %s", what, method, path, w.Body)
			}
		}
		ask("an unknown parameter", path+"?nonsense=1")
		for _, name := range query {
			for _, value := range []string{"\x00\xff", "-1", "99999999999999999999", "((("} {
				ask("a strange "+name, path+"?"+url.Values{name: {value}}.Encode())
			}
			ask("two of "+name, path+"?"+url.Values{name: {"1", "2"}}.Encode())
		}
		if strings.Contains(path, "/web") {
			ask("an unknown server", strings.ReplaceAll(path, "/web", "/nobody"))
			ask("a strange server", strings.ReplaceAll(path, "/web", "/%00%ff"))
		}
		if method == http.MethodPost {
			ask("a foreign page", path, "Origin", "https://elsewhere.example")
		}
	})
}
