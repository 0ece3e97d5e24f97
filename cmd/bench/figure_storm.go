//go:build linux

package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"tend/services"
)

const stormServer = "storm"

// measureStorm has one server report thousands of changes a second, and sees
// what that does to the restarts of the others, and whether history has every
// change in the end.
func measureStorm(ctx context.Context, b *bench) error {
	events := b.size.storm * int(b.size.stormy/time.Second)
	r, err := b.newRig(func(bell *bell) (list []served) {
		for i := range b.size.servers {
			name := fmt.Sprintf("s%04d", i)
			list = append(list, served{name, b.tiny.argv("stamp", bell, name), ", restart: always, backoff: {min: 0s}"})
		}
		argv := []string{b.self, "hand", "storm", fmt.Sprint(events), fmt.Sprint(b.size.storm)}
		return append(list, served{stormServer, argv, ", autostart: false, restart: never, ready: {notify: true}"})
	})
	if err != nil {
		return err
	}
	defer r.close()
	r.servers--
	k, err := newKiller(ctx, r)
	if err != nil {
		return err
	}
	defer k.close()
	quiet, _, err := k.alternate(ctx, b.size.kills)
	if err != nil {
		return err
	}
	from := time.Now()
	if _, err := r.api.Do(ctx, services.Order{Action: services.Start, Servers: []string{stormServer}}); err != nil {
		return r.trouble(err)
	}
	var stormy samples
	for time.Since(from) < b.size.stormy {
		ours, _, err := k.alternate(ctx, 1)
		if err != nil {
			return err
		}
		stormy = append(stormy, ours...)
	}
	s, err := r.over(ctx, stormServer)
	if err != nil {
		return err
	}
	took := s.Exit.At.Sub(from)
	kept, err := r.kept(ctx, events)
	if err != nil {
		return err
	}
	b.table.add(row{
		what: fmt.Sprintf("restart while %d events a second come in", b.size.storm), unit: "ms", ours: stormy, hand: quiet, tail: true,
		target: "median <= 2 x quiet, none lost",
		met:    func(r row) bool { return r.ratio() <= 2 && kept == events },
		notes: []string{
			"by hand: the same manager before the storm",
			fmt.Sprintf("%d of %d events in history; they came within %.1f s", kept, events, took.Seconds()),
		},
	})
	return r.stop(ctx)
}

// over waits until a server has ended by itself.
func (r *rig) over(ctx context.Context, name string) (s services.Status, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if s, err = r.api.Get(ctx, name); err != nil || s.Exit != nil {
			return s, err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return s, r.trouble(fmt.Errorf("%s has not ended: %s", name, s.Why))
		}
	}
}

// kept waits until history has so many changes of the storm, or no more come,
// and returns how many it has.
func (r *rig) kept(ctx context.Context, want int) (count int, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(time.Second) // history is written once a second
	defer tick.Stop()
	for {
		seen := 0
		for _, err := range r.api.Events(ctx, url.Values{"server": {stormServer}, "kind": {string(services.EventChanged)}}) {
			if err != nil && ctx.Err() != nil {
				return count, nil // in the middle of a look
			}
			if err != nil {
				return 0, r.trouble(err)
			}
			seen++
		}
		count = seen
		if count >= want {
			return want, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return count, nil
		}
	}
}
