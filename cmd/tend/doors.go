package main

import (
	"log/slog"

	"tend/services"
	"tend/services/access"
	"tend/services/config"
	"tend/services/state"
)

// accessFile is where users, tokens and sessions are, in the data directory.
const accessFile = "access.json"

func openAccess(data string, log *slog.Logger) (a *access.Access, damage string) {
	return access.Open(access.Options{Store: state.Private{Dir: data, Name: accessFile}, Log: log})
}

// openAccess reads who may come in. A door that other machines reach is not
// opened while that is nobody: it would only be there to be tried. Where the
// list was damaged it is opened all the same, and lets nobody in: the servers
// are to be looked after.
func (m *manager) openAccess() error {
	var damage string
	m.access, damage = openAccess(m.cfg.Data, m.log)
	switch {
	case damage != "":
		m.log.Warn(damage)
		m.bus.Publish(services.Event{Kind: services.EventState, Message: damage})
	case !config.Local(m.cfg.Listen) && m.access.Empty():
		return services.Errorf(services.Conflict, "other machines reach %s, and there is nobody who could sign in: add somebody with `tend users add NAME --role admin` or `tend tokens add NAME`, or listen on 127.0.0.1", m.cfg.Listen)
	}
	return nil
}
