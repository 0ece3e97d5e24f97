package orchestrator

import (
	"fmt"
	"strings"
	"time"

	"tend/services"
)

// How instants are written: by the clock where they are near, and with the day
// where whoever reads it may do so on another one.
const (
	clock    = "15:04:05"
	calendar = "15:04:05 on 2 Jan"
)

// ahead writes an instant to come.
func ahead(at time.Time) string {
	at = at.Local()
	if now := time.Now(); at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format(clock)
	}
	return at.Format(calendar)
}

// why says in one sentence why the server is as it is.
func (u *unit) why() string {
	if u.holder != nil && u.proc == nil && u.m.Phase != services.Starting {
		return fmt.Sprintf("%s; port %d is held by pid %d (%s)", u.whyPhase(), u.server().Port, u.holder.PID, u.holder.Command)
	}
	return u.whyPhase()
}

func (u *unit) whyPhase() string {
	switch u.m.Phase {
	case services.Stopped:
		if u.cause == "" {
			return "not started"
		}
		return u.cause
	case services.Waiting:
		return u.whyWaiting()
	case services.Starting:
		return u.whyStarting()
	case services.Running:
		switch {
		case u.orphan():
			return "runs on although it is not configured any more"
		case u.healthy != nil && !*u.healthy:
			return "runs, but " + u.ailing
		case u.healthy == nil && u.server().Live != nil:
			return "running; it has not been checked yet"
		case u.healthy == nil:
			return "running; its port has not been checked yet"
		case u.adopted:
			return "running, taken over from an earlier manager"
		}
		return "running"
	case services.Stopping:
		return u.whyStopping()
	case services.BackOff:
		return fmt.Sprintf("%s; next attempt at %s", u.howItEnded(), u.next.Local().Format(clock))
	case services.Exited:
		if u.exit == nil {
			return "waits for its schedule" + u.whenAgain()
		}
		return u.howItEnded() + u.whenAgain()
	case services.Failed:
		switch {
		case u.problem != "" && u.m.failures == 0:
			return u.problem + u.whenAgain()
		case u.policy().GiveUp > 0 && u.m.failures > u.policy().GiveUp:
			return fmt.Sprintf("%s; gave up after %s", u.howItEnded(), times(u.policy().GiveUp, "restart"))
		}
		if u.server().Type == services.Task {
			return u.howItEnded() + u.whenAgain()
		}
		return u.howItEnded() + "; its restart policy is " + string(u.policy().Restart)
	}
	return u.howItEnded()
}

// whenAgain says when the schedule runs it again, if it does.
func (u *unit) whenAgain() string {
	if u.fire.IsZero() {
		return ""
	}
	return "; next run at " + ahead(u.fire)
}

func (u *unit) whyStarting() string {
	switch {
	case u.fetch != nil:
		return "starting: reading its secrets"
	case u.m.step != alive:
		return "starting"
	}
	text := "starting: not ready yet"
	if u.unready != "" {
		text += " (" + u.unready + ")"
	}
	if u.until.IsZero() {
		return text
	}
	return text + ", and has time for it until " + u.until.Local().Format(clock)
}

func (u *unit) whyWaiting() string {
	var names []string
	for _, n := range u.links.Load().needs {
		if n.met() {
			continue
		}
		name := n.name
		if s := n.status.Load(); s != nil {
			state := string(s.Phase)
			switch {
			case n.Until == services.UntilCompleted && s.Phase == services.Running:
				state = "not completed yet"
			case s.Phase == services.Running:
				state = "port does not answer yet"
			}
			name += " (" + state + ")"
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return "about to start"
	}
	return "waiting for " + strings.Join(names, ", ")
}

func (u *unit) whyStopping() string {
	if u.ended {
		return u.howItEnded() + "; what it has left behind is being ended"
	}
	if u.verdict != "" {
		return u.verdict + ": " + u.howItIsStopped()
	}
	return u.howItIsStopped()
}

func (u *unit) howItIsStopped() string {
	switch u.m.step {
	case holding:
		return "waiting for those that depend on it to stop first"
	case terminating:
		return fmt.Sprintf("was sent %s; SIGKILL follows at %s", services.SignalName(u.server().Stop.Signal), u.until.Local().Format(clock))
	}
	left := u.proc.Survivors()
	if len(left) == 0 {
		return "was sent SIGKILL"
	}
	pids := make([]string, len(left))
	for i, pid := range left {
		pids[i] = fmt.Sprint(pid)
	}
	return "was sent SIGKILL; still alive: pid " + strings.Join(pids, ", ")
}

func (u *unit) howItEnded() string {
	if u.exit == nil {
		return u.problem
	}
	layout := clock
	if u.m.over() {
		layout = calendar
	}
	text := fmt.Sprintf("%s at %s", u.exit.Reason(), u.exit.At.Local().Format(layout))
	if u.verdict != "" {
		text = u.verdict + "; " + text
	}
	if u.lasted > 0 {
		text += " after " + span(u.lasted)
	}
	if u.m.Phase == services.Stopping { // by an order: it is no failure
		return text
	}
	if u.m.failures > 1 {
		text += ", " + ordinal(u.m.failures) + " failure in a row"
	}
	if words := u.lastWords(); words != "" {
		text += "; it said last: " + words
	}
	return text
}

// mostWords bounds what a sentence repeats of a server's own, in bytes.
const mostWords = 200

// lastWords is what a run that has failed had said of itself.
func (u *unit) lastWords() string {
	if u.m.Phase != services.BackOff && u.m.Phase != services.Failed || u.notified == saysStopping || u.notified == saysReloading {
		return ""
	}
	words := services.OneLine(u.hide(u.notified)) // before it is cut: half a secret would not be known for one
	if len(words) > mostWords {
		words = strings.ToValidUTF8(words[:mostWords], "") + "…"
	}
	return words
}

// span writes a duration with the precision that people want.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return max(d, time.Millisecond).Round(time.Millisecond).String()
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

func times(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func ordinal(n int) string {
	suffix := "th"
	if n/10%10 != 1 {
		switch n % 10 {
		case 1:
			suffix = "st"
		case 2:
			suffix = "nd"
		case 3:
			suffix = "rd"
		}
	}
	return fmt.Sprintf("%d%s", n, suffix)
}
