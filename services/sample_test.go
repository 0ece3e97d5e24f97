package services_test

import (
	"encoding/json"
	"testing"

	"tend/services"
)

func TestHowWellAServerIsFollowsFromItsStatus(t *testing.T) {
	ill, well := false, true
	for want, list := range map[services.Vigour][]services.Status{
		services.VigourDown:      {{Phase: services.Stopped, Want: services.Down}, {Phase: services.Exited, Want: services.Up}},
		services.VigourUp:        {{Phase: services.Running, Want: services.Up, PID: 1}, {Phase: services.Running, Want: services.Up, PID: 1, Healthy: &well}, {Phase: services.Starting, Want: services.Up, PID: 1}},
		services.VigourUnhealthy: {{Phase: services.Running, Want: services.Up, PID: 1, Healthy: &ill}},
		services.VigourBroken:    {{Phase: services.Failed, Want: services.Up}, {Phase: services.BackOff, Want: services.Up}},
		services.VigourNone:      {{Phase: services.Waiting, Want: services.Up}, {Phase: services.Stopped, Want: services.Up}},
	} {
		for _, s := range list {
			if got := services.VigourOf(&s); got != want {
				t.Errorf("%s, pid %d: %s, want %s", s.Phase, s.PID, got, want)
			}
		}
	}
}

func TestASampleKeepsWhatIsNotKnownThroughJSON(t *testing.T) {
	in := services.Sample{State: services.VigourBroken, CPU: 12.5, Memory: 7, Files: services.Unknown}
	text, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out services.Sample
	if err := json.Unmarshal(text, &out); err != nil || out != in {
		t.Errorf("%v: %s gives %+v", err, text, out)
	}
}
