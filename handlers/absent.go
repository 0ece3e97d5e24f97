package handlers

import (
	"context"
	"time"

	"tend/services"
)

// noHistory stands where nothing is kept.
type noHistory struct{}

func (noHistory) Events(context.Context, services.HistoryQuery) (services.HistoryPage, error) {
	return services.HistoryPage{}, nil
}

func (noHistory) Runs(context.Context, string, time.Time, int) ([]services.PastRun, error) {
	return nil, nil
}

func (noHistory) Samples(context.Context, string, time.Time, time.Time, int) ([]services.Sample, error) {
	return nil, nil
}

// noReload stands where no configuration can be read again.
func noReload(context.Context, bool, string, string) (services.Plan, error) {
	return services.Plan{}, services.Errorf(services.NotFound, "there is no configuration to read again")
}

// noAlerts stands where nobody is told.
type noAlerts struct{}

func (noAlerts) Targets() []services.AlertTarget { return []services.AlertTarget{} }

func (noAlerts) Test(context.Context) []services.AlertTest { return []services.AlertTest{} }
