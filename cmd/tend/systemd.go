package main

import (
	"log/slog"
	"net"
	"strings"
)

// tellSystemd sends a state to the service manager that started us, if any.
func tellSystemd(log *slog.Logger, socket, state string) {
	if socket == "" {
		return
	}
	name := socket
	if strings.HasPrefix(name, "@") { // the abstract namespace
		name = "\x00" + name[1:]
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		log.Warn("NOTIFY_SOCKET does not answer", "err", err)
		return
	}
	defer conn.Close()
	if _, err := conn.Write([]byte(state)); err != nil {
		log.Warn("NOTIFY_SOCKET does not listen", "err", err)
	}
}
