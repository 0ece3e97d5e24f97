package controltest

import (
	"tend/services"
)

func startRuns(b *bench) {
	list := b.do(services.Start, "web")
	if len(list) != 1 || list[0].Name != "web" || list[0].Want != services.Up {
		b.Errorf("answered %+v", list)
	}
	s := b.running("web")
	if !s.Running || s.PID == 0 || s.Run == "" || s.StartedAt.IsZero() || s.Want != services.Up || s.Orphaned {
		b.Errorf("runs as %+v", s)
	}
}

func startTwice(b *bench) {
	b.do(services.Start, "web")
	before := b.running("web")
	b.do(services.Start, "web")
	b.do(services.Start, "web", "web")
	after := b.get("web")
	if after.Run != before.Run || after.PID != before.PID || after.Restarts != 0 || after.Phase != services.Running {
		b.Errorf("before %+v, after %+v", before, after)
	}
}

func startDependency(b *bench) {
	b.do(services.Start, "api")
	api := b.running("api")
	db := b.running("db")
	if db.Want != services.Up || db.StartedAt.After(api.StartedAt.Time) {
		b.Errorf("api %+v needs db %+v", api, db)
	}
	if s := b.get("web"); s.Want != services.Down {
		b.Errorf("web was started, too: %+v", s)
	}
}

func stopStops(b *bench) {
	b.do(services.Start, "web")
	b.running("web")
	b.do(services.Stop, "web")
	s := b.stopped("web")
	if s.Running || s.PID != 0 || s.Run != "" || s.Want != services.Down || s.Exit == nil || s.Exit.At.IsZero() || s.Healthy != nil {
		b.Errorf("stopped as %+v", s)
	}
}

func stopTwice(b *bench) {
	b.do(services.Stop, "web")
	b.do(services.Kill, "web")
	if s := b.get("web"); s.Phase != services.Stopped || s.Want != services.Down || s.Exit != nil {
		b.Errorf("after a stop of what never ran: %+v", s)
	}
}

func killStops(b *bench) {
	b.do(services.Start, "web")
	b.running("web")
	b.do(services.Kill, "web")
	if s := b.stopped("web"); s.Want != services.Down || s.Restarts != 0 {
		b.Errorf("killed as %+v", s)
	}
}

func restartReplaces(b *bench) {
	b.do(services.Start, "web")
	before := b.running("web")
	b.do(services.Restart, "web")
	after := b.until("web", "ran again", func(s services.Status) bool {
		return s.Phase == services.Running && s.Run != before.Run
	})
	if after.PID == before.PID || after.Want != services.Up || after.Exit == nil || after.Rev <= before.Rev {
		b.Errorf("before %+v, after %+v", before, after)
	}
}

func restartStarts(b *bench) {
	b.do(services.Restart, "web")
	if s := b.running("web"); s.Want != services.Up || s.Exit != nil {
		b.Errorf("runs as %+v", s)
	}
}
