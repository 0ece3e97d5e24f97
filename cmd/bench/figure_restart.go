//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"tend/services"
)

// measureRestart kills servers and sees how soon the next instance executes
// its first instruction: children of the manager, servers that it has adopted,
// and servers that leave a child on their port.
func measureRestart(ctx context.Context, b *bench) error {
	ports, err := b.ports.free(2 * b.size.holders)
	if err != nil {
		return err
	}
	const keep = ", restart: always, backoff: {min: 0s}"
	holders := make([]string, len(ports))
	r, err := b.newRig(func(bell *bell) (list []served) {
		for i := range b.size.servers - len(ports) {
			name := fmt.Sprintf("s%04d", i)
			list = append(list, served{name, b.tiny.argv("stamp", bell, name), keep})
		}
		for i, port := range ports {
			holders[i] = fmt.Sprintf("h%04d", i)
			list = append(list, served{holders[i], b.tiny.argv("leftover", bell, holders[i], port), keep + fmt.Sprintf(", port: %d", port)})
		}
		return list
	})
	if err != nil {
		return err
	}
	defer r.close()
	k, err := newKiller(ctx, r)
	if err != nil {
		return err
	}
	defer k.close()

	ours, hand, err := k.alternate(ctx, b.size.kills)
	if err != nil {
		return err
	}
	what := fmt.Sprintf("SIGKILL to next instance, %d servers, ", b.size.servers)
	b.table.add(restartRow(what+"children", ours, hand))
	if err := k.holders(ctx, b, "children", holders[:b.size.holders]); err != nil {
		return err
	}

	r.crash()
	if err := r.serve(ctx); err != nil {
		return err
	}
	if _, err := r.until(ctx, "all servers are adopted", func(s services.Status) bool { return s.Adopted && s.Phase == services.Running }); err != nil {
		return err
	}
	if ours, hand, err = k.alternate(ctx, b.size.kills); err != nil {
		return err
	}
	b.table.add(restartRow(what+"adopted", ours, hand))
	if err := k.holders(ctx, b, "adopted", holders[b.size.holders:]); err != nil {
		return err
	}
	return r.stop(ctx)
}

func restartRow(what string, ours, hand samples) row {
	return row{
		what: what, unit: "ms", ours: ours, hand: hand, tail: true,
		target: "median <= 2 x, p99 <= 5 x",
		met:    func(r row) bool { return r.ratio() <= 2 && r.tailRatio() <= 5 },
	}
}

// killer kills servers of a rig, and of a plain loop beside it, in turn.
type killer struct {
	rig  *rig
	loop *child
	bell *bell          // of the loop
	pids map[string]int // by tag, of both
	next int
}

// newKiller starts both and waits until all servers run.
func newKiller(ctx context.Context, r *rig) (_ *killer, err error) {
	k := &killer{rig: r, pids: make(map[string]int)}
	if err := r.serve(ctx); err != nil {
		return nil, err
	}
	notes, err := r.bell.gather(ctx, r.servers, "born")
	if err != nil {
		return nil, r.trouble(err)
	}
	if _, err := r.running(ctx); err != nil {
		return nil, err
	}
	if k.bell, err = newBell(r.dir); err != nil {
		return nil, err
	}
	if k.loop, err = r.hire([3]*os.File{}, "keep", r.servers, r.tiny.path, k.bell.path); err != nil {
		return nil, err
	}
	by, err := k.bell.gather(ctx, r.servers, "born")
	if err != nil {
		k.close()
		return nil, err
	}
	for _, n := range append(notes, by...) {
		k.pids[n.tag] = n.pid
	}
	return k, nil
}

func (k *killer) close() {
	k.loop.killGroup()
	k.bell.close()
}

// alternate kills one server of each, so many times.
func (k *killer) alternate(ctx context.Context, kills int) (ours, hand samples, err error) {
	for range kills {
		i := k.next % (k.rig.servers - 2*k.rig.size.holders)
		k.next++
		took, err := k.kill(ctx, k.rig.bell, fmt.Sprintf("s%04d", i))
		if err != nil {
			return nil, nil, k.rig.trouble(err)
		}
		ours.ms(took)
		if err := k.settled(ctx, fmt.Sprintf("s%04d", i)); err != nil {
			return nil, nil, err
		}
		if took, err = k.kill(ctx, k.bell, strconv.Itoa(i)); err != nil {
			return nil, nil, err
		}
		hand.ms(took)
	}
	return ours, hand, nil
}

// kill kills a server and waits for its next instance.
func (k *killer) kill(ctx context.Context, bell *bell, tag string) (time.Duration, error) {
	at := now()
	if err := syscall.Kill(k.pids[tag], syscall.SIGKILL); err != nil {
		return 0, fmt.Errorf("kill server %s: %w", tag, err)
	}
	n, err := bell.expect(ctx, "born", tag)
	if err != nil {
		return 0, err
	}
	k.pids[tag] = n.pid
	return time.Duration(n.from - at), nil
}

// settled waits until the manager says what it did.
func (k *killer) settled(ctx context.Context, name string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		s, err := k.rig.api.Get(ctx, name)
		switch {
		case err != nil:
			return k.rig.trouble(err)
		case int(s.PID) == k.pids[name] && s.Phase == services.Running:
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s has pid %d, and the manager says %d, %s", name, k.pids[name], s.PID, s.Phase)
		}
	}
}

// holders kills servers whose child keeps their port. The next instance has to
// get it.
func (k *killer) holders(ctx context.Context, b *bench, which string, names []string) error {
	var took samples
	lost := ""
	for _, name := range names {
		d, err := k.kill(ctx, k.rig.bell, name)
		if errors.Is(err, context.Canceled) {
			return err
		}
		if err != nil {
			lost = err.Error()
			break
		}
		took.ms(d)
		if err := k.settled(ctx, name); err != nil {
			return err
		}
	}
	b.table.add(row{
		what: "  and a child of the dead one holds the port, " + which, unit: "ms", ours: took,
		target: "must succeed",
		met:    func(row) bool { return len(took) == len(names) },
		notes:  append(noteIf(lost != "", lost), fmt.Sprintf("%d of %d succeeded at once", len(took), len(names))),
	})
	return nil
}

func noteIf(yes bool, text string) []string {
	if !yes {
		return nil
	}
	return []string{text}
}
