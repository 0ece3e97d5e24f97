//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"tend/services"
)

// measureIdle reads what the manager uses while nothing happens, nobody looks,
// and no port is to be checked.
func measureIdle(ctx context.Context, b *bench) error {
	r, err := b.newRig(b.plainServers(b.size.servers))
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.serve(ctx); err != nil {
		return err
	}
	if _, err := r.bell.gather(ctx, r.servers, "born"); err != nil {
		return r.trouble(err)
	}
	bell, err := newBell(r.dir)
	if err != nil {
		return err
	}
	defer bell.close()
	loop, err := b.hire([3]*os.File{}, "keep", r.servers, b.tiny.path, bell.path)
	if err != nil {
		return err
	}
	defer loop.killGroup()
	if _, err := bell.gather(ctx, r.servers, "born"); err != nil {
		return err
	}
	if err := r.quiet(ctx); err != nil {
		return err
	}
	used, err := b.load(ctx, b.size.idle, r.manager.pid, loop.pid)
	if err != nil {
		return err
	}
	b.table.add(b.loadRow(fmt.Sprintf("processor, %d idle servers, nobody looks", r.servers), used[0], used[1], 0.1))
	return r.stop(ctx)
}

// measurePorts reads what the manager uses to check a port of each server.
func measurePorts(ctx context.Context, b *bench) error {
	ports, err := b.ports.free(b.size.servers)
	if err != nil {
		return err
	}
	r, err := b.newRig(func(bell *bell) (list []served) {
		for i, port := range ports {
			name := fmt.Sprintf("s%04d", i)
			list = append(list, served{name, b.tiny.argv("port", bell, name, port), fmt.Sprintf(", port: %d", port)})
		}
		return list
	})
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.serve(ctx); err != nil {
		return err
	}
	if _, err := r.bell.gather(ctx, r.servers, "born"); err != nil {
		return r.trouble(err)
	}
	if err := r.quiet(ctx); err != nil {
		return err
	}
	args := []any{b.size.window.Milliseconds()}
	for _, port := range ports {
		args = append(args, port)
	}
	dial, err := b.hire([3]*os.File{}, "dial", args...)
	if err != nil {
		return err
	}
	defer dial.killGroup()
	used, err := b.load(ctx, b.size.windows, r.manager.pid, dial.pid)
	if err != nil {
		return err
	}
	line := b.loadRow(fmt.Sprintf("processor, %d servers with a port, checked every 3 s", r.servers), used[0], used[1], 2)
	if _, err := r.until(ctx, "all are healthy", healthy); err != nil {
		return err
	}
	b.table.add(line)
	return r.stop(ctx)
}

func healthy(s services.Status) bool {
	return s.Phase == services.Running && s.Healthy != nil && *s.Healthy && !s.LastCheck.IsZero()
}

// settled is how long a manager still looks more often at what it has just
// started, at its logs above all.
const settled = 15 * time.Second

// quiet waits until every server was found well and the manager has settled,
// and leaves nobody connected.
func (r *rig) quiet(ctx context.Context) error {
	_, err := r.until(ctx, "all servers were checked", healthy)
	r.api.Close()
	if err != nil {
		return err
	}
	return rest(ctx, settled)
}

// rest waits so long.
func rest(ctx context.Context, long time.Duration) error {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
