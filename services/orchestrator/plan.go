package orchestrator

import (
	"slices"
	"strings"
	"syscall"
	"time"

	"tend/services"
)

// resumption is what a new manager does about one server of its predecessor.
type resumption struct {
	server *services.Server
	record services.Record // with the want that holds from now on
	adopt  *services.Run   // the live run to take over
	strays []services.Run  // further live runs of the same server, to be ended
	lost   *services.Run   // a recorded run that has ended while nobody looked
	again  bool            // it was on its way down in order to be started again
	fresh  bool            // nothing to resume: start it if it is wanted
	orphan bool            // alive, but no longer configured
}

// plan decides what becomes of everything that an earlier manager has left:
// its records, and the runs that are alive now. clean says that it ended in
// peace, so that autostart decides anew; boot is the present boot id.
func plan(servers []services.Server, records []services.Record, alive []services.Run, clean bool, boot string) []resumption {
	recorded := make(map[string]services.Record, len(records))
	for _, rec := range records {
		recorded[rec.Name] = rec
	}
	runs := make(map[string][]services.Run, len(alive))
	for _, run := range alive {
		if run.Server == "" {
			run.Server = "run-" + run.ID
		}
		runs[run.Server] = append(runs[run.Server], run)
	}
	out := make([]resumption, 0, len(servers))
	undecided := make(map[string]bool, len(servers)) // nobody has said whether it is wanted
	for i := range servers {
		server := &servers[i]
		rec, known := recorded[server.Name]
		known = known && !clean
		out = append(out, resume(server, rec, known, runs[server.Name], boot))
		delete(runs, server.Name)
		undecided[server.Name] = !known
	}
	startNeeded(out, undecided)
	var orphans []resumption
	for name, left := range runs {
		server := &services.Server{
			Name: name, Umask: -1, Restart: services.RestartNever,
			Stop: services.StopPolicy{Signal: syscall.SIGTERM, Timeout: 10 * time.Second, To: services.ToGroup},
		}
		rec, known := recorded[name]
		r := resume(server, rec, known, left, boot)
		r.orphan = true
		orphans = append(orphans, r)
	}
	slices.SortFunc(orphans, func(a, b resumption) int { return strings.Compare(a.server.Name, b.server.Name) })
	return append(out, orphans...)
}

// startNeeded has what a wanted server depends on start with it, as an order
// would, unless somebody has said that it is to be down.
func startNeeded(list []resumption, undecided map[string]bool) {
	byName := make(map[string]*resumption, len(list))
	for i := range list {
		byName[list[i].server.Name] = &list[i]
	}
	var want func(r *resumption)
	want = func(r *resumption) {
		for _, name := range r.server.Needs() {
			if n := byName[name]; n != nil && n.record.Want == services.Down && undecided[name] {
				n.record.Want = services.Up
				want(n)
			}
		}
	}
	for i := range list {
		if list[i].record.Want == services.Up {
			want(&list[i])
		}
	}
}

// resume decides about one server. known says that its record counts.
func resume(server *services.Server, rec services.Record, known bool, alive []services.Run, boot string) resumption {
	r := resumption{server: server, record: rec}
	r.record.Name = server.Name
	if !known {
		r.record.Want, r.record.Phase, r.record.Failures = services.Down, services.Stopped, 0
		if server.Autostart {
			r.record.Want = services.Up
		}
	}
	for i, run := range alive {
		if r.adopt == nil || rec.Run != nil && run.ID == rec.Run.ID {
			r.adopt = &alive[i]
		}
	}
	for _, run := range alive {
		if run.ID != r.adopt.ID {
			r.strays = append(r.strays, run)
		}
	}
	r.again = known && rec.Want == services.Up && rec.Phase == services.Stopping
	switch {
	case r.adopt != nil:
		recorded := rec.Run != nil && rec.Run.ID == r.adopt.ID
		r.again = r.again && recorded // another run is the one that was to follow
		if recorded {
			r.adopt.Digest, r.adopt.Output = rec.Run.Digest, rec.Run.Output // the search does not see them
		}
		if !known || !recorded {
			r.record.Want = services.Up
		}
	case known && rec.Run != nil && rec.Run.Boot == boot:
		r.lost = rec.Run
	case known && rec.Want == services.Up && (rec.Phase == services.Exited || rec.Phase == services.Failed):
		// It has come to its end; a person decides.
	default:
		r.fresh = true
	}
	r.record.Run = nil
	return r
}
