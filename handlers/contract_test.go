package handlers

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
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
		"ServerStatus": services.Status{}, "Sample": services.Sample{}, "Plan": api.Plan{}, "TreeProcess": services.TreeProcess{}, "AlertTarget": services.AlertTarget{}, "AlertTest": services.AlertTest{}, "HistoryPage": services.HistoryPage{}, "RunPage": api.RunPage{}, "PastRun": services.PastRun{}, "Change": services.Change{}, "Exit": services.Exit{},
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
