package orchestrator

import (
	"fmt"
	"slices"
	"testing"

	"tend/services"
)

// world is what is true outside the machine: it tells a legal input from an
// impossible one, and a sensible effect from a crime.
type world struct {
	spawning bool
	leader   bool // the main process is alive
	tree     bool // some process of the tree is alive
	armed    bool
}

type situation struct {
	m Machine
	w world
}

var inputs = func() (all []Input) {
	for _, kind := range []InputKind{OrderStart, OrderStop, OrderRestart, OrderKill, Spawned, Gone, Deadline, Resume, Passed, Doomed, Fired} {
		all = append(all, Input{Kind: kind})
	}
	for _, end := range []ending{endedClean, endedBadly, endedUnseen} {
		all = append(all, Input{Kind: Ended, End: end})
	}
	for _, end := range []ending{endedBadly, endedForever, noRoom} {
		all = append(all, Input{Kind: SpawnFailed, End: end})
	}
	for _, on := range []bool{false, true} {
		all = append(all, Input{Kind: Ready, On: on}, Input{Kind: Held, On: on})
	}
	return all
}()

// possible reports whether the input can happen in this world.
func (w world) possible(in Input) bool {
	switch in.Kind {
	case Spawned, SpawnFailed:
		return w.spawning
	case Ended:
		return w.leader
	case Gone:
		return w.tree && !w.leader
	case Deadline:
		return w.armed
	case Resume:
		return false // only at the beginning
	}
	return !w.spawning // the unit spawns in one go
}

func (w world) after(in Input) world {
	switch in.Kind {
	case Spawned:
		w.spawning, w.leader, w.tree = false, true, true
	case SpawnFailed:
		w.spawning = false
	case Ended:
		w.leader = false
	case Gone:
		w.tree = false
	case Deadline:
		w.armed = false
	}
	return w
}

// obey carries the effects out and returns what is wrong with them, if
// anything.
func (s situation) obey(p Policy, effects []Effect) (situation, string) {
	for _, e := range effects {
		switch e {
		case Spawn:
			switch {
			case s.w.tree || s.w.spawning:
				return s, "a second process of one server"
			case s.m.Want != services.Up:
				return s, "a start that nobody wants"
			case !s.m.ready:
				return s, "a start before its dependencies"
			}
			s.w.spawning = true
		case Terminate, KillTree:
			if !s.w.tree {
				return s, "a signal to the dead"
			}
		case Disarm:
			s.w.armed = false
		default:
			s.w.armed = true
		}
	}
	waits := s.m.step == holding || s.m.step == terminating || s.m.step == killing || s.m.Phase == services.BackOff ||
		s.m.step == alive && (s.m.Phase == services.Starting || s.m.failures > 0)
	switch {
	case s.m.Phase == services.Running && p.Gated && !s.m.passed:
		return s, "running before it is ready"
	case waits && !s.w.armed:
		return s, "a wait without a deadline"
	case !waits && s.w.armed:
		return s, "a deadline that nobody waits for"
	case s.w.tree != (s.m.step != idle && s.m.step != spawning):
		return s, "a wrong idea of what is alive"
	case s.m.Phase == services.Running && s.m.step != alive:
		return s, "running without a process"
	case s.m.Phase == services.Stopped && s.m.Want == services.Up:
		return s, "stopped although wanted"
	}
	return s, ""
}

func policies() (all []Policy) {
	for _, restart := range []services.RestartPolicy{services.RestartAlways, services.RestartOnFailure, services.RestartNever} {
		for _, giveUp := range []int{0, 2} {
			all = append(all, Policy{Restart: restart, GiveUp: giveUp}, Policy{Restart: restart, GiveUp: giveUp, Gated: true})
		}
	}
	return all
}

// bounded keeps the walk finite: the count of failures matters only around
// the limit.
func (s situation) bounded() situation {
	s.m.failures, s.m.refused = min(s.m.failures, 4), min(s.m.refused, 1)
	return s
}

func TestNoSequenceOfInputsBreaksAnInvariant(t *testing.T) {
	for _, p := range policies() {
		t.Run(fmt.Sprintf("%s, give up %d, gated %v", p.Restart, p.GiveUp, p.Gated), func(t *testing.T) {
			begin := []situation{
				{m: Machine{Want: services.Down, Phase: services.Stopped}},
				{m: Machine{Want: services.Up, Phase: services.Failed}},
			}
			for _, passed := range []bool{false, true} {
				s := situation{m: Machine{Want: services.Up, Phase: services.Running, step: alive, passed: passed, failures: 1}, w: world{leader: true, tree: true}}
				var effects []Effect
				s.m, effects = s.m.Next(p, Input{Kind: Resume})
				s, wrong := s.obey(p, effects)
				if wrong != "" {
					t.Fatalf("%s: taken over as %+v", wrong, s)
				}
				begin = append(begin, s)
			}
			seen := map[situation]bool{}
			for len(begin) > 0 {
				s := begin[len(begin)-1]
				begin = begin[:len(begin)-1]
				if seen[s] {
					continue
				}
				seen[s] = true
				for _, in := range inputs {
					if !s.w.possible(in) {
						continue
					}
					next := situation{w: s.w.after(in)}
					var effects []Effect
					next.m, effects = s.m.Next(p, in)
					next, wrong := next.obey(p, effects)
					if wrong != "" {
						t.Fatalf("%s: %+v in %+v leads to %+v with effects %v", wrong, in, s, next, effects)
					}
					begin = append(begin, next.bounded())
				}
				stopEnds(t, p, s)
			}
			if len(seen) < 100 {
				t.Errorf("only %d situations were reached: the walk is broken", len(seen))
			}
		})
	}
}

// stopEnds checks that from any situation an order to stop, followed by what
// time and SIGKILL do by themselves, ends in stopped.
func stopEnds(t *testing.T, p Policy, s situation) {
	t.Helper()
	from := s
	killed := false
	next := func(in Input) {
		s.w = s.w.after(in)
		var effects []Effect
		s.m, effects = s.m.Next(p, in)
		for _, e := range effects {
			killed = killed || e == KillTree
		}
		s, _ = s.obey(p, effects)
	}
	if s.w.spawning {
		next(Input{Kind: Spawned})
	}
	next(Input{Kind: OrderStop})
	for range 10 {
		switch {
		case s.m.Phase == services.Stopped && !s.w.tree:
			return
		case killed && s.w.leader:
			next(Input{Kind: Ended, End: endedBadly})
		case killed && s.w.tree:
			next(Input{Kind: Gone})
		default:
			next(Input{Kind: Deadline})
		}
	}
	t.Fatalf("a stop from %+v never ends: %+v", from, s)
}

func TestPolicyDecidesWhatFollowsAnEnd(t *testing.T) {
	for _, c := range []struct {
		restart services.RestartPolicy
		end     ending
		want    services.Phase
	}{
		{services.RestartAlways, endedClean, services.BackOff},
		{services.RestartAlways, endedBadly, services.BackOff},
		{services.RestartAlways, endedUnseen, services.BackOff},
		{services.RestartOnFailure, endedClean, services.Exited},
		{services.RestartOnFailure, endedBadly, services.BackOff},
		{services.RestartOnFailure, endedUnseen, services.BackOff},
		{services.RestartNever, endedClean, services.Exited},
		{services.RestartNever, endedBadly, services.Failed},
		{services.RestartNever, endedUnseen, services.Failed},
	} {
		m := runningMachine()
		m, _ = m.Next(Policy{Restart: c.restart}, Input{Kind: Ended, End: c.end})
		m, _ = m.Next(Policy{Restart: c.restart}, Input{Kind: Gone})
		if m.Phase != c.want {
			t.Errorf("%s after ending %d: %s, want %s", c.restart, c.end, m.Phase, c.want)
		}
	}
}

func TestItGivesUpAfterTheConfiguredNumberOfRestarts(t *testing.T) {
	p := Policy{Restart: services.RestartOnFailure, GiveUp: 3}
	m := runningMachine()
	restarts := 0
	for m.Phase != services.Failed {
		m, _ = m.Next(p, Input{Kind: Ended, End: endedBadly})
		m, _ = m.Next(p, Input{Kind: Gone})
		if m.Phase == services.BackOff {
			restarts++
			m, _ = m.Next(p, Input{Kind: Deadline})
			m, _ = m.Next(p, Input{Kind: Spawned})
		}
	}
	if restarts != 3 {
		t.Errorf("%d restarts, want 3", restarts)
	}
}

func TestExitsThatNobodySawAndLongRunsDoNotCountTowardsGivingUp(t *testing.T) {
	p := Policy{Restart: services.RestartOnFailure, GiveUp: 1}
	m := runningMachine()
	for i := range 10 {
		if i%2 == 1 {
			m, _ = m.Next(p, Input{Kind: Deadline}) // it has lasted long enough
		}
		m, _ = m.Next(p, Input{Kind: Ended, End: []ending{endedUnseen, endedBadly}[i%2]})
		m, _ = m.Next(p, Input{Kind: Gone})
		if m.Phase != services.BackOff {
			t.Fatalf("end %d: %s, want backoff", i, m.Phase)
		}
		m, _ = m.Next(p, Input{Kind: Deadline})
		m, _ = m.Next(p, Input{Kind: Spawned})
	}
}

func TestAMachineWithoutRoomForAProcessIsNoReasonToGiveUp(t *testing.T) {
	p := Policy{Restart: services.RestartOnFailure, GiveUp: 1}
	m := runningMachine()
	m, _ = m.Next(p, Input{Kind: Ended, End: endedBadly})
	m, _ = m.Next(p, Input{Kind: Gone})
	for i := range 10 {
		m, _ = m.Next(p, Input{Kind: Deadline})
		m, _ = m.Next(p, Input{Kind: SpawnFailed, End: noRoom})
		if m.Phase != services.BackOff || m.failures != 1 || m.refused != i+1 {
			t.Fatalf("attempt %d: %+v", i, m)
		}
	}
	m, _ = m.Next(p, Input{Kind: Deadline})
	m, _ = m.Next(p, Input{Kind: Spawned})
	if m.Phase != services.Running || m.refused != 0 {
		t.Errorf("%+v", m)
	}
}

func TestAStopWinsOverARestart(t *testing.T) {
	p := Policy{Restart: services.RestartAlways}
	m := runningMachine()
	for _, in := range []Input{{Kind: OrderRestart}, {Kind: OrderStop}, {Kind: Ended}, {Kind: Gone}} {
		m, _ = m.Next(p, in)
	}
	if m.Phase != services.Stopped || m.Want != services.Down {
		t.Errorf("%+v, want stopped", m)
	}
}

func TestAStartDuringAStopStartsAgainWithoutBackoff(t *testing.T) {
	p := Policy{Restart: services.RestartNever}
	m := runningMachine()
	var effects []Effect
	for _, in := range []Input{{Kind: OrderStop}, {Kind: OrderStart}, {Kind: Ended, End: endedBadly}, {Kind: Gone}} {
		m, effects = m.Next(p, in)
	}
	if m.Phase != services.Starting || len(effects) != 2 || effects[1] != Spawn {
		t.Errorf("%+v %v, want a spawn", m, effects)
	}
}

func TestARunThatFailsACheckCountsAsAFailureHoweverItEnds(t *testing.T) {
	p := Policy{Restart: services.RestartOnFailure, GiveUp: 5}
	m := runningMachine()
	var effects []Effect
	m, effects = m.Next(p, Input{Kind: Doomed})
	if m.Phase != services.Stopping || !slices.Equal(effects, []Effect{ArmStop, Terminate}) {
		t.Fatalf("%+v %v, want a stop", m, effects)
	}
	m, _ = m.Next(p, Input{Kind: Ended, End: endedClean})
	m, _ = m.Next(p, Input{Kind: Gone})
	if m.Phase != services.BackOff || m.failures != 1 {
		t.Errorf("%+v, want the first failure", m)
	}
}

func TestARunIsStartingUntilItIsFoundReady(t *testing.T) {
	p := Policy{Restart: services.RestartOnFailure, Gated: true}
	m := Machine{Want: services.Down, Phase: services.Stopped, ready: true}
	m, _ = m.Next(p, Input{Kind: OrderStart})
	m, effects := m.Next(p, Input{Kind: Spawned})
	if m.Phase != services.Starting || !slices.Equal(effects, []Effect{ArmReady}) {
		t.Fatalf("%+v %v, want it starting under a deadline", m, effects)
	}
	ready, effects := m.Next(p, Input{Kind: Passed})
	if ready.Phase != services.Running || !slices.Equal(effects, []Effect{Disarm}) {
		t.Errorf("%+v %v, want it running", ready, effects)
	}
	late, effects := m.Next(p, Input{Kind: Deadline})
	if late.Phase != services.Stopping || !late.doomed || !slices.Equal(effects, []Effect{ArmStop, Terminate}) {
		t.Errorf("%+v %v, want it stopped as a failure", late, effects)
	}
}

func TestAScheduleStartsWhatHasEndedAndNothingElse(t *testing.T) {
	p := Policy{Restart: services.RestartNever}
	for phase, starts := range map[services.Phase]bool{services.Exited: true, services.Failed: true, services.BackOff: true} {
		m := Machine{Want: services.Up, Phase: phase, ready: true}
		if m, _ = m.Next(p, Input{Kind: Fired}); (m.step == spawning) != starts {
			t.Errorf("%s: %+v", phase, m)
		}
	}
	m := Machine{Want: services.Down, Phase: services.Stopped, ready: true}
	if m, _ = m.Next(p, Input{Kind: Fired}); m.Phase != services.Stopped {
		t.Errorf("stopped: %+v", m)
	}
	m = runningMachine()
	if next, effects := m.Next(p, Input{Kind: Fired}); next != m || effects != nil {
		t.Errorf("running: %+v %v", next, effects)
	}
}

func runningMachine() Machine {
	return Machine{Want: services.Up, Phase: services.Running, step: alive, ready: true}
}
