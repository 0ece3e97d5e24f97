package main

import (
	"context"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"

	"tend/services"
	"tend/services/config"
	"tend/services/failpoint"
)

// reload reads the configuration again and says what it changes; unless it is
// dry, it applies that. Where id is not empty, nothing is applied but the plan
// of that id, which somebody has seen. Invalid, with every problem, for a file
// that is wrong: then nothing changes.
func (m *manager) reload(ctx context.Context, dry bool, id, by string) (services.Plan, error) {
	cfg, err := loadConfig(m.cfg.Path)
	if err != nil {
		return services.Plan{}, err
	}
	servers, drift := m.orch.Configured()
	plan := config.Compare(servers, cfg.Servers, drift, m.secrets.Hide)
	if !reflect.DeepEqual(cfg.Alerts, m.rules()) {
		plan.Also = append(plan.Also, "alerts: other rules")
	}
	plan.Later = append(plan.Later, m.later(cfg)...)
	switch {
	case dry:
		return plan, nil
	case id != "" && id != plan.ID():
		return plan, services.Errorf(services.Conflict, "the plan has changed since it was shown: look at it again")
	}
	failpoint.At("reload-planned")
	if err := m.orch.Reload(ctx, cfg.Servers, plan, by); err != nil {
		return plan, err
	}
	m.setRules(cfg.Alerts)
	m.recipes.changed()
	if m.certs != nil {
		m.certs.Look()
	}
	m.log.Info("the configuration was read again", "by", by, "plan", summary(plan))
	m.bus.Publish(services.Event{Kind: services.EventReload, By: by, Message: "the configuration was read again: " + summary(plan)})
	return plan, nil
}

// rules are those by which people are told now.
func (m *manager) rules() []services.AlertRule {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.alertRules
}

func (m *manager) setRules(rules []services.AlertRule) {
	m.mu.Lock()
	m.alertRules = rules
	m.mu.Unlock()
	m.alerts.SetRules(rules)
}

// later names what a running manager cannot change.
func (m *manager) later(cfg *config.Config) (out []string) {
	note := func(key string, differs bool) {
		if differs {
			out = append(out, key+": the next tend serve uses it (tend shutdown --keep leaves the servers running)")
		}
	}
	note("listen", m.given.listen == "" && cfg.Listen != m.cfg.Listen)
	note("tls", cfg.TLS != m.cfg.TLS)
	note("data", !m.given.data && filepath.Clean(cfg.Data) != filepath.Clean(m.cfg.Data))
	note("monitor", cfg.Monitor != m.cfg.Monitor)
	note("history", cfg.History != m.cfg.History)
	note("auth", cfg.Auth != m.cfg.Auth)
	note("hosts", !slices.Equal(cfg.Hosts, m.cfg.Hosts))
	note("exit_on", cfg.ExitOn != m.cfg.ExitOn)
	return out
}

// hangUp reloads because of SIGHUP.
func (m *manager) hangUp(ctx context.Context) {
	if _, err := m.reload(ctx, false, "", "signal"); err != nil {
		m.log.Error("SIGHUP: the configuration is not used, everything stays as it is", "err", err)
	}
}

// summary says in a few words what a plan does.
func summary(p services.Plan) string {
	if p.Empty() {
		return "nothing changes"
	}
	return fmt.Sprintf("%d added, %d removed, %d restarted, %d changed in place", len(p.Add), len(p.Remove), len(p.Restart), len(p.Update))
}
