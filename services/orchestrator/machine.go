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
	refused  int  // consecutive attempts to start that the machine had no room for
	ended    bool // a run, or the attempt to start one, has just ended; settle clears it
	end      ending
	due      bool // the armed deadline has passed; settle clears it
	born     bool // a run has just begun, or was taken over; settle clears it
	passed   bool // the present run was found ready
	doomed   bool // the present run failed a check and is being ended: a failure, however it ends
	ready    bool // every dependency is as it has to be
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
	noRoom              // cannot start for want of descriptors, processes, disk: no failure of the server
)

// Policy is the part of the configuration that the machine obeys.
type Policy struct {
	Restart services.RestartPolicy
	GiveUp  int  // restarts in a row, 0 for ever
	Gated   bool // a check decides when a run is ready; until then it is starting
}

// Input is something that happened to a server.
type Input struct {
	Kind InputKind
	End  ending // for Ended and SpawnFailed
	On   bool   // for Ready and Held
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
	Passed   // the present run was found ready
	Doomed   // the present run failed a check that ends it
	Fired    // its schedule says that it should run now
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
	ArmReady          // for as long as a run may take to become ready
	ArmReset          // until a run has lasted long enough to forget the failures before it
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
			m.failures, m.refused, m.due = 0, 0, true
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
		m.step, m.born, m.passed, m.refused = alive, true, false, 0
	case SpawnFailed:
		m.step, m.ended, m.end = idle, true, in.End
	case Ended:
		m.end = in.End
		if m.step == alive || m.step == holding {
			m.step, m.due = killing, true // sweep what it left behind
		}
	case Gone:
		if m.doomed {
			m.end = endedBadly
		}
		m.step, m.ended, m.doomed = idle, true, false
	case Deadline:
		m.due = true
	case Resume:
		m.due, m.born = m.step == idle, m.step == alive
	case Passed:
		m.passed = m.passed || m.step == alive
	case Doomed:
		m.doomed = m.doomed || m.step == alive && m.Want == services.Up
	case Fired:
		if m.step == idle && m.Want == services.Up && m.Phase != services.Waiting {
			m.failures, m.refused, m.due = 0, 0, true
		}
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
		return m.settleAlive(p, due)
	case holding:
		switch {
		case m.Want == services.Up && !m.again && !m.doomed:
			m.step, m.born = alive, true
			return m.settleAlive(p, false)
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

// settleAlive decides whether a live run goes on, and whether it is ready.
func (m Machine) settleAlive(p Policy, due bool) (Machine, []Effect) {
	born := m.born
	m.born = false
	starting := p.Gated && !m.passed
	m.doomed = m.doomed || due && starting // the unit says why
	if m.Want == services.Down || m.again || m.doomed {
		return m.leave()
	}
	if due {
		m.failures = 0
	}
	before := m.Phase
	m.Phase = services.Running
	switch {
	case starting:
		m.Phase = services.Starting
		if born {
			return m, []Effect{ArmReady}
		}
	case born || before != services.Running:
		if m.failures > 0 {
			return m, []Effect{ArmReset}
		}
		return m, []Effect{Disarm}
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
		m.Phase, m.brutal, m.again, m.failures, m.refused = services.Stopped, false, false, 0, 0
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
	switch m.end {
	case endedUnseen:
	case noRoom: // for ever: what the machine lacks says nothing of the server
		m.refused++
		m.Phase = services.BackOff
		return m, []Effect{ArmBackoff}
	default:
		m.failures++
	}
	if p.GiveUp > 0 && m.failures > p.GiveUp {
		m.Phase = services.Failed
		return m, []Effect{Disarm}
	}
	m.Phase = services.BackOff
	return m, []Effect{ArmBackoff}
}
