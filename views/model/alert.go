package model

import (
	"strings"
	"time"

	"tend/services"
)

// Alerts is who is told of what, on the page of the configuration.
type Alerts struct {
	Targets []AlertTarget
	Tests   []services.AlertTest // of the test that was just asked for
}

// AlertTarget is one rule.
type AlertTarget struct {
	Target, On, Servers string
	Sent                Moment
	Error               string
}

// AlertsOf makes the view of the targets.
func AlertsOf(list []services.AlertTarget, tests []services.AlertTest, now time.Time) Alerts {
	out := Alerts{Tests: tests}
	for _, t := range list {
		words := make([]string, len(t.On))
		for i, on := range t.On {
			words[i] = strings.ReplaceAll(string(on), "_", " ")
		}
		one := AlertTarget{Target: t.Target, On: strings.Join(words, ", "), Servers: "all servers", Sent: Since(t.Sent.Time, now), Error: t.Error}
		if len(t.Servers) > 0 {
			one.Servers = strings.Join(t.Servers, ", ")
		}
		out.Targets = append(out.Targets, one)
	}
	return out
}
