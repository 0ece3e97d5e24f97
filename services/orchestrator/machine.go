package orchestrator

import "tend/services"

// Machine is the whole policy of one server as a pure value: no clock, no I/O,
// no lock. Next first records what happened, then settle decides what follows.
type Machine struct {
	Want  services.Want
	Phase services.Phase

	step     step
	again    bool // start anew as soon as the present run is gone: a restart
	brutal   bool // no grace
	failures int  // consecutive
	ended    bool // a run, or the attempt to start one, has just ended; settle clears it
	end      ending
	due      bool // the armed deadline has passed; settle clears it
	ready    bool // every dependency is ready
	held     bool // some dependent is on its way down and still alive
}

// step says where the processes of the server are.
type step uint8

const (
	idle        step = iota // none
	spawning                // one is being started
	alive                   // running
	holding                 // running, to be stopped once its dependents are gone
	terminating             // asked to end
	killing                 // sent SIGKILL, or its leftovers are being swept
)

// ending classifies how a run, or the attempt to start one, ended.
type ending uint8

const (
	endedClean   ending = iota
	endedBadly          // a failure that another attempt may mend
	endedUnseen         // nobody saw the status
	endedForever        // cannot start: another attempt would fail alike
)

// Policy is the part of the configuration that the machine obeys.
type Policy struct {
	Restart services.RestartPolicy
	GiveUp  int // restarts in a row, 0 for ever
}

// Input is something that happened to a server.
type Input struct {
	Kind  InputKind
	End   ending // for Ended and SpawnFailed
	Reset bool   // for Ended: the run lasted long enough to start the count of failures anew
	On    bool   // for Ready and Held
}

// InputKind names what happened.
type InputKind uint8

// What can happen to a server.
const (
	OrderStart InputKind = iota
	OrderStop
	OrderRestart
	OrderKill
	Spawned
	SpawnFailed
	Ended    // the main process has ended; others of its tree may be alive
	Gone     // no process of the tree is left
	Deadline // the armed time is over
	Resume   // a new manager has taken the server over, alive or not
	Ready    // the dependencies became ready, or ceased to be
	Held     // a dependent is being stopped, or none any more
)

// Effect is something that the unit has to do.
type Effect uint8

// What a unit can be told to do. Every Arm replaces the deadline before it.
const (
	Spawn      Effect = iota
	Terminate         // send the stop signal to the tree
	KillTree          // SIGKILL to whatever is left of the tree
	ArmHold           // for as long as the dependents may take
	ArmStop           // for the grace period
	ArmKill           // until SIGKILL is repeated
	ArmBackoff        // until the next attempt
	Disarm
)

// Next returns the machine after the input and what has to be done, in order.
func (m Machine) Next(p Policy, in Input) (Machine, []Effect) {
	m = m.record(in)
	return m.settle(p)
}

func (m Machine) record(in Input) Machine {
	switch in.Kind {
	case OrderStart, OrderRestart:
		m.Want, m.brutal = services.Up, false
		switch m.step {
		case idle:
			m.failures, m.due = 0, true
		case terminating, killing:
			m.again = true
		default:
			m.again = m.again || in.Kind == OrderRestart
		}
	case OrderStop:
		m.Want, m.again = services.Down, false
	case OrderKill:
		m.Want, m.again, m.brutal = services.Down, false, true
	case Spawned:
		m.step = alive
	case SpawnFailed:
		m.step, m.ended, m.end = idle, true, in.End
	case Ended:
		if in.Reset {
			m.failures = 0
		}
		m.end = in.End
		if m.step == alive || m.step == holding {
			m.step, m.due = killing, true // sweep what it left behind
		}
	case Gone:
		m.step, m.ended = idle, true
	case Deadline, Resume:
		m.due = true
	case Ready:
		m.ready = in.On
	case Held:
		m.held = in.On
	}
	return m
}

// over reports whether the server has come to its end and will not start by
// itself.
func (m Machine) over() bool {
	return m.Phase == services.Stopped || m.Phase == services.Failed || m.Phase == services.Exited
}

func (m Machine) settle(p Policy) (Machine, []Effect) {
	due := m.due
	m.due = false
	switch m.step {
	case idle:
		return m.settleIdle(p, due)
	case alive:
		m.Phase = services.Running
		if m.Want == services.Down || m.again {
			return m.leave()
		}
	case holding:
		switch {
		case m.Want == services.Up && !m.again:
			m.step, m.Phase = alive, services.Running
			return m, []Effect{Disarm}
		case m.brutal || due || !m.held:
			m.held = m.held && !due
			return m.leave()
		}
	case terminating:
		if m.brutal || due {
			m.step = killing
			return m, []Effect{ArmKill, KillTree}
		}
	case killing:
		m.Phase = services.Stopping
		if due {
			return m, []Effect{ArmKill, KillTree}
		}
	}
	return m, nil
}

// leave begins the end of a live run.
func (m Machine) leave() (Machine, []Effect) {
	m.Phase = services.Stopping
	switch {
	case m.brutal:
		m.step = killing
		return m, []Effect{ArmKill, KillTree}
	case m.held:
		m.step = holding
		return m, []Effect{ArmHold}
	}
	m.step = terminating
	return m, []Effect{ArmStop, Terminate}
}

// settleIdle decides whether and when to start, no process being alive.
func (m Machine) settleIdle(p Policy, due bool) (Machine, []Effect) {
	ended := m.ended
	m.ended = false
	switch {
	case m.Want == services.Down:
		changed := m.Phase != services.Stopped || ended
		m.Phase, m.brutal, m.again, m.failures = services.Stopped, false, false, 0
		if changed {
			return m, []Effect{Disarm}
		}
		return m, nil
	case ended && !m.again:
		return m.afterEnd(p)
	case ended, due, m.Phase == services.Waiting && m.ready:
		return m.start()
	}
	return m, nil
}

func (m Machine) start() (Machine, []Effect) {
	m.again = false
	if !m.ready {
		m.Phase = services.Waiting
		return m, []Effect{Disarm}
	}
	m.step, m.Phase = spawning, services.Starting
	return m, []Effect{Disarm, Spawn}
}

// afterEnd applies the restart policy to a run that ended by itself.
func (m Machine) afterEnd(p Policy) (Machine, []Effect) {
	switch {
	case m.end == endedForever,
		m.end != endedClean && p.Restart == services.RestartNever:
		m.Phase = services.Failed
		return m, []Effect{Disarm}
	case m.end == endedClean && p.Restart != services.RestartAlways:
		m.Phase = services.Exited
		return m, []Effect{Disarm}
	}
	if m.end != endedUnseen {
		m.failures++
	}
	if p.GiveUp > 0 && m.failures > p.GiveUp {
		m.Phase = services.Failed
		return m, []Effect{Disarm}
	}
	m.Phase = services.BackOff
	return m, []Effect{ArmBackoff}
}
