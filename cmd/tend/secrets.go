package main

import (
	"maps"
	"slices"

	"tend/services"
	"tend/services/events"
	"tend/services/secrets"
)

// discreetBus takes what is secret out of every event before anybody sees it.
type discreetBus struct {
	*events.Bus
	secrets *secrets.Keeper
}

// Publish hides the message. The units hide what is in a status.
func (b discreetBus) Publish(e services.Event) {
	e.Message = b.secrets.Hide(e.Message)
	b.Bus.Publish(e)
}

// keepSecrets makes what hides secrets, which everything else needs.
func (m *manager) keepSecrets() {
	m.secrets = secrets.New(func(e services.Event) { m.bus.Publish(e) })
	m.bus = discreetBus{events.New(), m.secrets}
}

// learnSecrets finds out what has to be hidden of servers that an earlier
// manager has started: their values are in their environments, and in files. A
// command is not run for that.
func (m *manager) learnSecrets(records []services.Record) {
	runs := map[string]services.Run{}
	for _, rec := range records {
		if rec.Run != nil && rec.Run.Boot == m.host.Boot() {
			runs[rec.Name] = *rec.Run
		}
	}
	for _, server := range m.cfg.Servers {
		if len(server.Secrets) == 0 {
			continue
		}
		m.secrets.Foresee(server)
		if run, ok := runs[server.Name]; ok {
			m.secrets.Learn(server.Name, m.host.Variables(run.Leader, slices.Collect(maps.Keys(server.Secrets))))
		}
	}
}

// conceal takes what is secret out of settings: a command may hold it, too.
func (m *manager) conceal(s *services.Settings) {
	for i := range s.List {
		s.List[i].Value = m.secrets.Hide(s.List[i].Value)
	}
	for i := range s.Drift {
		s.Drift[i].Was, s.Drift[i].Is = m.secrets.Hide(s.Drift[i].Was), m.secrets.Hide(s.Drift[i].Is)
	}
}
