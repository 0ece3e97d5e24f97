package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"syscall"
	"time"

	"tend/services"
	"tend/services/access"
	"tend/services/config"
	"tend/services/remote"
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
	if !config.Local(m.cfg.Listen) && !m.cfg.TLS.On() {
		m.log.Warn(inClear, "listen", m.cfg.Listen)
		m.bus.Publish(services.Event{Kind: services.EventManager, Message: inClear})
	}
	return nil
}

// inClear is said where other machines reach the dashboard without TLS.
const inClear = "passwords and tokens cross the network in clear, and so does what servers write: give tls: self-signed or a certificate, or listen on 127.0.0.1 behind a proxy that has one"

// openDoors listens on the dashboard's address and on the unix socket.
// Those that were handed over are kept.
func (m *manager) openDoors(given *estate) (err error) {
	if m.tcp, err = given.tcp(m.cfg.Listen); err != nil {
		l, err := net.Listen("tcp", m.cfg.Listen)
		if err != nil {
			return m.explainListen(err)
		}
		m.tcp = l.(*net.TCPListener)
	}
	m.doors = append(m.doors, newCrowd(m.tcp, networkCrowd))
	path, err := remote.SocketPath(m.cfg.Data)
	if err != nil {
		return err
	}
	if m.socket, err = given.socket(path); err != nil {
		if m.socket, err = remote.Listen(path); err != nil {
			return err
		}
	}
	m.doors = append(m.doors, newCrowd(m.socket, socketCrowd))
	return nil
}

// explainListen turns a failure to listen into a sentence that names the
// holder of the port and the way out.
func (m *manager) explainListen(err error) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return services.Errorf(services.Conflict, "cannot listen on %s: %v: choose another address with --listen", m.cfg.Listen, err)
	}
	by := "another process"
	if _, text, splitErr := net.SplitHostPort(m.cfg.Listen); splitErr == nil {
		port, _ := strconv.Atoi(text)
		if holder, held, _ := m.host.Holder(port); held {
			by = fmt.Sprintf("pid %d (%s)", holder.PID, holder.Command)
		}
	}
	return services.Errorf(services.Conflict, "%s is in use by %s: end it, or choose another address with --listen 127.0.0.1:PORT", m.cfg.Listen, by)
}

// closeWeb ends the dashboard. What is still open after a while is cut.
func (m *manager) closeWeb(patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	m.web.Shutdown(ctx) //nolint:errcheck // Close cuts what is left
	m.web.Close()
}
