//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"tend/services"
	"tend/services/remote"
)

// treeKinds are what a server with a child and a grandchild rings.
var treeKinds = []string{"born", "child", "grandchild"}

// measureStop stops servers by one order, by the command line and by REST.
// When the order is done, nothing of them may be alive.
func measureStop(ctx context.Context, b *bench) error {
	r, err := b.newRig(func(bell *bell) (list []served) {
		for i := range b.size.stopped {
			name := fmt.Sprintf("s%04d", i)
			list = append(list, served{name: name, argv: b.tiny.argv("tree", bell, name)})
		}
		return list
	})
	if err != nil {
		return err
	}
	defer r.close()
	socket, err := remote.SocketPath(r.data())
	if err != nil {
		return err
	}
	if err := r.serve(ctx); err != nil {
		return err
	}
	ways := []*stopping{
		{name: "tend stop --all", order: func() error { return b.nursery.do(ctx, b.tend, "stop", "--all", "--config", r.config) }},
		{name: "POST /api/servers?action=stop", order: func() error { return postStop(ctx, socket) }},
	}
	var hand samples
	for range b.size.rounds {
		for _, way := range ways {
			if err := way.once(ctx, r); err != nil {
				return err
			}
		}
		took, err := b.endByHand(ctx)
		if err != nil {
			return err
		}
		hand.ms(took)
	}
	for _, way := range ways {
		b.table.add(row{
			what: fmt.Sprintf("%d servers with descendants, %s", r.servers, way.name), unit: "ms", ours: way.took, hand: hand,
			target: "<= 100 ms, all gone",
			met:    func(r row) bool { return r.ours.median() <= 100 && len(way.alive) == 0 },
			notes:  noteIf(len(way.alive) > 0, "not gone when the order was done: "+strings.Join(way.alive, ", ")),
		})
	}
	return r.stop(ctx)
}

// stopping is one way to stop all servers.
type stopping struct {
	name  string
	order func() error
	took  samples
	alive []string // what was left
}

// once starts all servers where they do not run, and stops them.
func (s *stopping) once(ctx context.Context, r *rig) error {
	list, err := r.api.List(ctx)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(list, func(s services.Status) bool { return s.Running }) {
		order := services.Order{Action: services.Start, Servers: services.Configured(list)}
		if _, err := r.api.Do(ctx, order); err != nil && ctx.Err() == nil {
			return r.trouble(err)
		}
	}
	notes, err := r.bell.gather(ctx, 3*r.servers, treeKinds...)
	if err != nil {
		return r.trouble(err)
	}
	if _, err := r.running(ctx); err != nil {
		return err
	}
	from := now()
	if err := s.order(); err != nil {
		return r.trouble(err)
	}
	s.took.ms(time.Duration(now() - from))
	for _, n := range notes {
		if alive(n.pid) {
			s.alive = append(s.alive, fmt.Sprintf("the %s of %s, pid %d", n.kind, n.tag, n.pid))
		}
	}
	return nil
}

// postStop is the bare request, answered when all are down.
func postStop(ctx context.Context, socket string) error {
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
	}, Timeout: patience}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost/api/servers?action=stop&all=true&wait=30s", nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("stop answers %s: %.200s", res.Status, body)
	}
	return err
}

// endByHand ends as many trees by signals to known pids.
func (b *bench) endByHand(ctx context.Context) (time.Duration, error) {
	bell, err := newBell(b.dir)
	if err != nil {
		return 0, err
	}
	defer bell.close()
	tell, ask, err := pipes()
	if err != nil {
		return 0, err
	}
	defer tell.close()
	defer ask.close()
	hand, err := b.hire([3]*os.File{tell.read, ask.write}, "end", b.size.stopped, b.tiny.path, bell.path)
	if err != nil {
		return 0, err
	}
	defer hand.killGroup()
	notes, err := bell.gather(ctx, 3*b.size.stopped, treeKinds...)
	if err != nil {
		return 0, err
	}
	pids := make([]string, len(notes))
	for i, n := range notes {
		pids[i] = strconv.Itoa(n.pid)
	}
	if _, err := fmt.Fprintln(tell.write, strings.Join(pids, " ")); err != nil {
		return 0, err
	}
	if err := ask.read.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	line, err := bufio.NewReader(ask.read).ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("ending by hand: %w", err)
	}
	ns, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64)
	return time.Duration(ns), err
}

// pipe is both ends of a pipe.
type pipe struct{ read, write *os.File }

func (p pipe) close() {
	p.read.Close()
	p.write.Close()
}

func pipes() (a, b pipe, err error) {
	if a.read, a.write, err = os.Pipe(); err != nil {
		return a, b, err
	}
	if b.read, b.write, err = os.Pipe(); err != nil {
		a.close()
	}
	return a, b, err
}
