package model

import (
	"net"
	"strings"
	"time"

	"tend/services"
)

// Frame is what everything on the screen depends on beside the servers.
type Frame struct {
	Now  time.Time
	Host string // by which browsers reach the servers' ports

	Recent Lately // nil where nobody knows
}

// Server is one server on the screen: a row of the overview, or a page.
type Server struct {
	ID, Name, Description, Group string
	Rev                          string
	Kind                         string // by which it is counted and chosen
	State, Health                Sign
	Why                          string
	Next                         Moment // the next attempt after a failure
	NextRun                      Moment // by its schedule
	Schedule                     string // in cron syntax, "" for none
	Task                         bool
	CrashLoop                    bool
	Limits                       string // which are in force
	Notified                     string // what it says of itself
	PID, Port, URL               string
	Started                      Moment
	Checked                      Moment
	Restarts                     string // "" for none
	Exit                         string
	ExitTone                     Tone
	ExitReason                   string
	ExitAt                       Moment
	Start, Stop, Restart, Kill   Action
	Foreign                      *Holder // somebody else's process on this server's port
	Unconfigured                 bool
	Adopted, Drift               bool
	Want, Command, Run           string
	Tracking                     string
	Memory                       string   // what is counted as its memory
	Needs                        []string // names of the servers that it depends on
	Dependents                   string   // the servers that need it, "" for none
	Use                          Use
}

// Holder is the foreign process that holds a port.
type Holder struct {
	PID     string
	Command string
	Port    string
}

// ServerOf says what the screen says about a server.
func ServerOf(s *services.Status, f Frame) Server {
	out := Server{
		ID: s.ID, Name: s.Name, Description: s.Description, Group: s.Group, Rev: utoa(s.Rev),
		Kind: tallies[kindOf(s)].key, State: StateOf(s), Health: HealthOf(s), Why: WhyOf(s), Next: Until(s.NextAttempt.Time, f.Now),
		PID: number(s.PID), Port: number(s.Port), URL: portURL(f.Host, s.Port),
		Checked: Since(s.LastCheck.Time, f.Now), NextRun: Until(s.NextRun.Time, f.Now), Schedule: s.Schedule,
		Task: s.Type == services.Task, CrashLoop: s.CrashLoop, Limits: s.Limits, Memory: memories[s.MemoryKind], Notified: s.Notified,
		Adopted: s.Adopted, Drift: s.Drift, Unconfigured: unconfigured(s),
		Want: string(s.Want), Command: s.Command, Run: s.Run, Tracking: tracking(s.Tracking), Needs: s.DependsOn, Dependents: strings.Join(s.NeededBy, ", "),
	}
	if f.Recent != nil {
		out.Use = UseOf(s.ID, f.Recent, f.Now)
	}
	if s.Restarts > 0 {
		out.Restarts = itoa(s.Restarts)
	}
	if s.PID != 0 {
		out.Started = Since(s.StartedAt.Time, f.Now)
	}
	out.Exit, out.ExitTone = exitOf(s.Exit)
	if s.Exit != nil {
		out.ExitReason, out.ExitAt = s.Exit.Reason(), Since(s.Exit.At, f.Now)
	}
	out.Start, out.Stop, out.Restart, out.Kill = actions(s)
	if foreign(s) {
		out.Foreign = &Holder{PID: number(s.OrphanedPID), Command: s.OrphanCommand, Port: number(s.Port)}
		if out.Foreign.Command == "" {
			out.Foreign.Command = "a process without a command line"
		}
	}
	return out
}

var trackings = map[services.Tracking]string{
	services.TrackCgroup:   "cgroup: the kernel knows every process of it",
	services.TrackRecorded: "recorded: the processes that were seen",
	services.TrackGroup:    "group: its session and process group",
	services.TrackMark:     "mark: processes that carry its mark",
}

// memories say what the memory of a server is that is shown.
var memories = map[services.MemoryKind]string{
	services.MemoryCgroup: "what its control group has asked for, without caches",
	services.MemoryRSS:    "the resident sets (RSS) of its processes added up",
}

func tracking(t *services.Tracking) string {
	if t == nil {
		return ""
	}
	return trackings[*t]
}

func number(n services.Int) string {
	if n == 0 {
		return ""
	}
	return itoa(int(n))
}

func portURL(host string, port services.Int) string {
	if port == 0 {
		return ""
	}
	return "http://" + net.JoinHostPort(strings.Trim(host, "[]"), number(port))
}
