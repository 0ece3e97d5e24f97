package model_test

import (
	"testing"

	"tend/services"
	"tend/views/canned"
	"tend/views/model"
)

func TestSettingsAreGroupedAndSayWhereTheyAreFrom(t *testing.T) {
	view := model.SettingsOf(canned.Settings(), true)
	from := make(map[string]string)
	count := 0
	for _, g := range view.Groups {
		if g.Title == "" || g.ID == "" {
			t.Errorf("%+v has no name", g)
		}
		for _, one := range g.List {
			count++
			from[one.Key] = g.ID + ": " + one.From
			if one.Held && one.Value != "" {
				t.Errorf("%+v is told", one)
			}
		}
	}
	if len(view.Groups) != 5 || count != len(canned.Settings().List) || !view.Before || len(view.Drift) != 4 || view.Lost {
		t.Errorf("%+v", view)
	}
	for key, want := range map[string]string{
		"command": "runs: line 20", "env.TZ": "runs: defaults, line 7", "port": "is: the file before", "ready.http": "checked: line 26", "stop.to": "ends: default", "logs.max_size": "kept: default",
	} {
		if from[key] != want {
			t.Errorf("%s: %q, want %q", key, from[key], want)
		}
	}
	if view := model.SettingsOf(services.Settings{Lost: true, Drift: canned.Settings().Drift}, false); view.Lost || len(view.Drift) > 0 {
		t.Errorf("what does not drift is shown to drift: %+v", view)
	}
}
