package services

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// settle is how long a server without a port has to live before its start
// counts as a success: long enough to see a program that rejects its arguments.
const settle = 200 * time.Millisecond

// Await returns nil once every server that the order names has reached what
// was ordered: running and, where it has a port, reachable; or stopped. Call it
// after Do. Otherwise it returns one Error whose sentence names each server
// that got elsewhere: Conflict where the outcome is known, Unavailable where
// ctx ended first.
func Await(ctx context.Context, control Control, order Order) error {
	watch, stop := context.WithCancel(ctx)
	events, done := make(chan Event), make(chan error, 1)
	go func() {
		defer close(events)
		for e, err := range control.Watch(watch, Now) {
			if err != nil {
				done <- err
				return
			}
			select {
			case events <- e:
			case <-watch.Done():
				return
			}
		}
	}()
	defer func() {
		stop()
		for range events { // until the goroutine has ended
		}
	}()
	news := events // nil once there will be no more

	open := make(map[string]string, len(order.Servers)) // what each unfinished server is doing
	for _, name := range order.Servers {
		open[name] = ""
	}
	var failed []string
	look := func(s Status) {
		if _, waited := open[s.Name]; !waited {
			return
		}
		switch reached, why := outcome(order, s); {
		case why != "":
			failed = append(failed, why)
			delete(open, s.Name)
		case reached:
			delete(open, s.Name)
		default:
			open[s.Name] = string(s.Phase)
		}
	}
	all := func() error {
		list, err := control.List(ctx)
		if err != nil {
			return err
		}
		present := make(map[string]bool, len(list))
		for _, s := range list {
			present[s.Name] = true
			look(s)
		}
		for name := range open { // a stopped orphan leaves the list
			if !present[name] {
				delete(open, name)
			}
		}
		return nil
	}

	// The list is read again from time to time: it shows what has settled, and
	// what happened before the watch began.
	tick := time.NewTicker(settle)
	defer tick.Stop()
	for err := all(); ; {
		switch {
		case err != nil && ctx.Err() == nil:
			return err
		case len(open) == 0 && len(failed) > 0:
			return Errorf(Conflict, "%s", strings.Join(failed, "; "))
		case len(open) == 0:
			return nil
		}
		select {
		case <-ctx.Done():
			return late(order.Action, open)
		case e, ok := <-news:
			switch {
			case !ok:
				news = nil
			case e.Kind == EventReset:
				err = all()
			case e.Kind == EventRemoved:
				delete(open, e.Server)
			case e.Status != nil:
				look(*e.Status)
			}
		case err = <-done:
		case <-tick.C:
			err = all()
		}
	}
}

// outcome says whether the order has come true for s, or the sentence why it
// will not.
func outcome(order Order, s Status) (reached bool, why string) {
	if order.Orphan != 0 {
		return int(s.OrphanedPID) != order.Orphan, ""
	}
	switch order.Action {
	case Stop, Kill:
		if s.Want == Up {
			return false, fmt.Sprintf("%s was started again meanwhile", s.Name)
		}
		return s.Phase == Stopped, ""
	}
	switch s.Phase {
	case Running:
		if s.Port != 0 {
			return s.Healthy != nil && *s.Healthy, ""
		}
		return time.Since(s.StartedAt.Time) >= settle, ""
	case Exited:
		return true, ""
	case BackOff, Failed:
		return false, fmt.Sprintf("%s %s", s.Name, s.Why)
	case Stopped, Stopping:
		if s.Want == Down {
			return false, fmt.Sprintf("%s was stopped meanwhile", s.Name)
		}
	}
	return false, ""
}

func late(action Action, open map[string]string) error {
	var parts []string
	for name, phase := range open {
		parts = append(parts, strings.TrimSpace(name+" "+phase))
	}
	slices.Sort(parts)
	return Errorf(Unavailable, "%s was ordered but has not come to an end yet: %s", action, strings.Join(parts, ", "))
}
