package model

import (
	"tend/services"
)

// Action is something that can be asked of a server.
type Action struct {
	Name    services.Action
	Label   string
	Enabled bool
	Hint    string // what it does, or why it makes no sense now
}

// actions returns start, stop, restart and kill, in this order. One that is
// not enabled does no harm: the state may have changed meanwhile.
func actions(s *services.Status) (start, stop, restart, kill Action) {
	start = Action{services.Start, "Start", true, "Start " + s.Name}
	stop = Action{services.Stop, "Stop", true, "Stop " + s.Name + " and everything it started"}
	restart = Action{services.Restart, "Restart", true, "Stop " + s.Name + ", then start it"}
	kill = Action{services.Kill, "Kill", true, "End " + s.Name + " at once with SIGKILL: it cannot save anything"}
	refuse := func(why string, list ...*Action) {
		for _, a := range list {
			a.Enabled, a.Hint = false, why
		}
	}
	if unconfigured(s) {
		refuse(s.Name+" is not in the configuration any more", &start, &restart)
		return start, stop, restart, kill
	}
	if s.Type == services.Task {
		start.Label, start.Hint = "Run now", "Run "+s.Name+" now"
	}
	switch s.Phase {
	case services.Stopped, services.Failed, services.Exited:
		refuse(s.Name+" is not running", &stop, &restart, &kill)
	case services.Waiting:
		refuse(s.Name+" starts as soon as it can", &start, &restart)
		refuse(s.Name+" is not running", &kill)
	case services.Starting, services.Running:
		refuse(s.Name+" is "+string(s.Phase), &start)
	case services.Stopping:
		if s.Want == services.Down {
			refuse(s.Name+" is stopping", &stop, &restart)
		} else {
			refuse(s.Name+" starts again when it has stopped", &start, &restart)
		}
	case services.BackOff:
		start.Label, start.Hint = "Try now", "Start "+s.Name+" now instead of waiting"
		refuse(s.Name+" is not running", &restart, &kill)
	}
	if foreign(s) {
		refuse("port "+itoa(int(s.Port))+" is held by another process", &start)
	}
	return start, stop, restart, kill
}

func unconfigured(s *services.Status) bool {
	return s.OrphanKind != nil && *s.OrphanKind == services.Unconfigured
}

func foreign(s *services.Status) bool {
	return s.OrphanKind != nil && *s.OrphanKind == services.Foreign
}
