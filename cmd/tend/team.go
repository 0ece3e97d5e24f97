package main

import (
	"context"
	"log/slog"
	"time"
)

// teamTime bounds how long the members of a team may take to end.
const teamTime = 10 * time.Second

// team is a group of services that end together.
type team struct {
	log     *slog.Logger
	members []member
}

type member struct {
	name   string
	cancel context.CancelFunc
	done   chan struct{}
}

// start runs a service until the team ends.
func (t *team) start(name string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	m := member{name, cancel, make(chan struct{})}
	t.members = append(t.members, m)
	go func() { // waited for by end
		defer close(m.done)
		if err := run(ctx); err != nil && ctx.Err() == nil {
			t.log.Error("a service has ended", "service", name, "err", err)
		}
	}()
}

// end tells all members to end and waits for them. Whoever overstays is named
// in the log and left behind: the program is about to end, too.
func (t *team) end() {
	for _, m := range t.members {
		m.cancel()
	}
	timeout := time.After(teamTime)
	for _, m := range t.members {
		select {
		case <-m.done:
			continue
		default:
		}
		select {
		case <-m.done:
		case <-timeout:
			t.log.Error("a service does not end", "service", m.name)
			timeout = time.After(0)
		}
	}
}
