//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"tend/services/remote"
)

// measureList asks for all servers, each time over a new connection, as curl
// does.
func measureList(ctx context.Context, b *bench) error {
	r, err := b.newRig(b.plainServers(b.size.servers))
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.serve(ctx); err != nil {
		return err
	}
	if _, err := r.running(ctx); err != nil {
		return err
	}
	socket, err := remote.SocketPath(r.data())
	if err != nil {
		return err
	}
	body, _, err := fetch(ctx, "tcp", r.listen)
	if err != nil {
		return err
	}
	file, copied := filepath.Join(r.dir, "list.json"), filepath.Join(r.dir, "hand.sock")
	if err := os.WriteFile(file, body, 0o600); err != nil {
		return err
	}
	port, err := b.ports.free(1)
	if err != nil {
		return err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port[0])
	if err := b.serveByHand(ctx, file, copied, address); err != nil {
		return err
	}
	for _, way := range []struct{ name, network, ours, hand string }{
		{"the unix socket", "unix", socket, copied}, {"TCP", "tcp", r.listen, address},
	} {
		var ours, hand samples
		for range b.size.gets {
			for _, side := range []struct {
				address string
				into    *samples
			}{{way.ours, &ours}, {way.hand, &hand}} {
				_, took, err := fetch(ctx, way.network, side.address)
				if err != nil {
					return err
				}
				side.into.ms(took)
			}
		}
		b.table.add(row{
			what: fmt.Sprintf("GET /api/servers, %d servers, over %s", r.servers, way.name), unit: "ms",
			ours: ours, hand: hand, tail: true, target: "<= 5 ms",
			met:   func(r row) bool { return r.ours.median() <= 5 },
			notes: noteIf(way.network == "unix", fmt.Sprintf("%d kB; by hand: net/http sends those bytes, ready-made", len(body)>>10)),
		})
	}
	return r.stop(ctx)
}

// serveByHand starts the hand that serves a file, and returns when it listens.
// The nursery ends it.
func (b *bench) serveByHand(ctx context.Context, file, socket, address string) error {
	ready, write, err := os.Pipe()
	if err != nil {
		return err
	}
	defer ready.Close()
	hand, err := b.hire([3]*os.File{1: write}, "serve", file, socket, address)
	write.Close()
	if err != nil {
		return err
	}
	if err := ready.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := io.ReadAll(ready); err != nil {
		return fmt.Errorf("wait for %s: %w", hand.name, err)
	}
	return ctx.Err()
}

// fetch gets the list once.
func fetch(ctx context.Context, network, address string) ([]byte, time.Duration, error) {
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	}, Timeout: patience}
	from := now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://127.0.0.1/api/servers", nil)
	if err != nil {
		return nil, 0, err
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	took := time.Duration(now() - from)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s: %.200s", address, res.Status, body)
	}
	return body, took, err
}
