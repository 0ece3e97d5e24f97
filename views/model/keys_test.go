package model_test

import (
	"os"
	"strings"
	"testing"

	"tend/services"
	"tend/views/canned"
	"tend/views/model"
)

func TestEachKeyDoesOneThing(t *testing.T) {
	seen := make(map[string]string)
	for _, part := range model.Keyboard {
		for _, b := range part.Keys {
			if b.What == "" || b.Show == "" || len(b.Keys) == 0 {
				t.Errorf("%+v says too little", b)
			}
			for _, key := range b.Keys {
				if other, twice := seen[key]; twice {
					t.Errorf("%s is both %q and %q", key, other, b.What)
				}
				seen[key] = b.What
				if b.Deed != "" && !strings.Contains(model.KeyMap, `"`+key+`":"`+b.Deed+`"`) {
					t.Errorf("the script does not know %s: %s", key, model.KeyMap)
				}
			}
		}
	}
}

func TestTheScriptKnowsEveryDeed(t *testing.T) {
	script, err := os.ReadFile("../../static/js/keys.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range model.Keyboard {
		for _, b := range part.Keys {
			if b.Deed != "" && !strings.Contains(string(script), "\n    "+b.Deed+": ") {
				t.Errorf("keys.js does not know how to %q", b.Deed)
			}
		}
	}
}

func TestTheReadmeHasTheKeys(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	for _, part := range model.Keyboard {
		for _, b := range part.Keys {
			table.WriteString("| `" + b.Show + "` | " + b.What + " |\n")
		}
	}
	if !strings.Contains(string(readme), table.String()) {
		t.Errorf("write this into the README:\n%s", table.String())
	}
}

func TestThePaletteFindsTheNearestFirst(t *testing.T) {
	list := canned.Servers(now)
	list = append(list, services.Status{ID: "api-gateway", Name: "api-gateway"}, services.Status{ID: "old-api", Name: "old-api"}, services.Status{ID: "caprice", Name: "caprice"})
	names := func(query string) (out []string) {
		for _, item := range model.PaletteOf(query, list, services.Operator).Items {
			out = append(out, item.Name)
		}
		return out
	}
	for query, want := range map[string]string{
		"api": "api, api-gateway, old-api", "API": "api, api-gateway, old-api", "re api": "Restart api", "stop postgres": "Stop postgres",
		"timel": "Timeline", "tml": "Timeline", "pstg": "postgres", "": "postgres",
	} {
		if got := strings.Join(names(query), ", "); !strings.HasPrefix(got, want) {
			t.Errorf("%q finds %s", query, got)
		}
	}
	if got := names("\u00e9\xff nothing"); len(got) != 0 {
		t.Errorf("nonsense finds %v", got)
	}
	if got := names("a"); len(got) != 12 {
		t.Errorf("a letter finds %d", len(got))
	}
	for _, item := range model.PaletteOf("kill postgres", list, services.Operator).Items {
		if item.Ask != strings.HasPrefix(item.URL, "/bulk?") {
			t.Errorf("%+v", item)
		}
	}
}
