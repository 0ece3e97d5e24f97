//go:build linux

package main

import (
	"net"
	"net/http"
	"os"
)

// handServe answers every request with a file that it has read once: FILE
// SOCKET ADDRESS. It closes its standard output when it listens.
func handServe(args []string) error {
	body, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	socket, err := net.Listen("unix", args[1])
	if err != nil {
		return err
	}
	tcp, err := net.Listen("tcp", args[2])
	if err != nil {
		return err
	}
	os.Stdout.Close() //nolint:errcheck // whoever reads it sees the end
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Write(body) //nolint:errcheck // the client has gone
	})}
	done := make(chan error, 2)
	for _, l := range []net.Listener{socket, tcp} {
		go func() { done <- srv.Serve(l) }()
	}
	return <-done
}
