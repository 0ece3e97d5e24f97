package orchestrator

import (
	"crypto/rand"
	"encoding/hex"
	mathrand "math/rand/v2"
	"syscall"
	"time"

	"tend/services"
	"tend/services/failpoint"
	"tend/services/process"
)

// do carries out one effect and returns the input that follows from it at
// once, if any.
func (u *unit) do(e Effect) (Input, bool) {
	switch e {
	case Spawn:
		if len(u.server().Secrets) > 0 {
			u.fetch = u.beginFetch()
			return Input{}, false
		}
		return u.spawn(nil), true
	case Terminate:
		stop := u.server().Stop
		u.log().Info("stopping", "pid", u.run.Leader.PID, "signal", services.SignalName(stop.Signal))
		failpoint.At("stop-ordered")
		if err := u.proc.Signal(stop.Signal, stop.To); err != nil {
			u.log().Warn("stop signal", "err", err)
		}
		failpoint.At("stop-signalled")
	case KillTree:
		failpoint.At("stop-killing")
		u.proc.Kill()
		if u.ended {
			select {
			case <-u.proc.Gone():
				return u.goneInput(), true
			default:
			}
		}
	case ArmHold:
		u.arm(u.links.Load().hold)
	case ArmStop:
		u.arm(u.server().Stop.Timeout)
	case ArmKill:
		u.arm(killAgain)
	case ArmReady:
		if deadline := u.server().ReadyDeadline(); deadline > 0 {
			u.arm(deadline)
		} else {
			u.timer.stop()
		}
	case ArmReset:
		u.arm(u.server().Backoff.Reset)
	case ArmBackoff:
		delay := jittered(u.server().Backoff.Delay(max(u.m.failures+u.m.refused, 1)))
		u.retry = true
		if delay <= 0 {
			return Input{Kind: Deadline}, true
		}
		u.arm(delay)
		u.next = u.until
	case Disarm:
		u.timer.stop()
		u.next, u.until = time.Time{}, time.Time{}
	}
	return Input{}, false
}

// jittered shortens a delay by up to a fifth, so that servers that failed
// together do not come back together.
func jittered(d time.Duration) time.Duration {
	if d < 5 {
		return d
	}
	return d - time.Duration(mathrand.Int64N(int64(d/5)))
}

func (u *unit) arm(d time.Duration) {
	u.timer.set(d, u.wake)
	u.until = time.Now().Add(d)
}

// spawn begins a run. It does not wait for the disk: should the manager die
// before the run is recorded, the next one finds it by its cgroup or mark.
func (u *unit) spawn(secrets map[string]string) Input {
	failpoint.At("spawn-ordered")
	u.healthy, u.ailing, u.holder, u.problem = nil, "", nil, ""
	if err := u.portTaken(); err != nil {
		return u.spawnFailed(err, endedBadly)
	}
	output := ""
	if ready, live := u.server().Ready, u.server().Live; ready != nil && ready.Log != "" || live != nil && live.Log != "" {
		output = u.trades.Logs.End(u.name)
	}
	out, err := u.trades.Logs.Begin(u.name, u.server().Logs)
	if err != nil {
		return u.spawnFailed(err, noRoom)
	}
	defer out.Close()
	failpoint.At("spawn-log-begun")
	proc, err := u.trades.Host.Start(process.Spec{
		ID: newRunID(), Server: *u.server(), Secrets: secrets, Log: out,
		Forks: u.daemon != "" && u.daemon == u.settings.Load().digest,
	})
	if err != nil {
		return u.spawnFailed(err, noRoom)
	}
	u.take(proc, services.Run{Digest: u.settings.Load().digest, Output: output}, false)
	failpoint.At("spawn-taken")
	if u.retry {
		u.retry, u.restart = false, u.restart+1
	}
	return Input{Kind: Spawned}
}

// portTaken looks who holds the port: whoever answers there would be taken for
// this server. It may be free at the next attempt.
func (u *unit) portTaken() error {
	if u.server().Port == 0 {
		return nil
	}
	holder, held, err := u.trades.Ports.Holder(u.server().Port)
	switch {
	case err != nil || !held:
		return nil // the server will say itself what is wrong
	case u.trades.Ports.Owns(holder.PID):
		return services.Errorf(services.Unavailable, "port %d is held by pid %d (%s), which belongs to another server or to this manager", u.server().Port, holder.PID, holder.Command)
	}
	u.holder = &holder // which why names
	return services.Errorf(services.Unavailable, "its port is taken")
}

// spawnFailed notes why nothing was started; unavailable is what it means where
// another attempt may succeed.
func (u *unit) spawnFailed(err error, unavailable ending) Input {
	u.problem = "cannot start: " + err.Error()
	u.exit, u.lasted = nil, 0
	if services.KindOf(err) == services.Unavailable {
		return Input{Kind: SpawnFailed, End: unavailable}
	}
	return Input{Kind: SpawnFailed, End: endedForever}
}

// take makes the process the unit's own, with what was noted of its run.
func (u *unit) take(proc Process, noted services.Run, adopted bool) {
	u.proc, u.run, u.ended, u.adopted = proc, runWith(proc, noted), false, adopted
	u.problem, u.cause, u.verdict, u.notified = "", "", "", ""
	u.limits, u.memory = u.trades.Host.Limits(*u.server(), u.run), u.trades.Host.MemoryKind(u.run)
	u.overslept = false
	// It may have said that it is ready while no manager listened.
	notifies := u.server().Ready != nil && u.server().Ready.Notify
	u.m.passed = adopted && (u.m.passed || notifies)
	u.turns++
	u.rely()
	u.beginChecks()
	proc.OnNews(u.wake)
}

// runWith returns the run of a process with what was noted of it at its start,
// which the process does not know.
func runWith(p Process, noted services.Run) services.Run {
	run := p.Run()
	run.Digest, run.Output = noted.Digest, noted.Output
	return run
}

// endOfRun notes how the main process ended.
func (u *unit) endOfRun() Input {
	exit := u.proc.Exit()
	failpoint.At("exit-noticed")
	u.ended, u.exiting = true, true
	u.turns++
	u.crashed = u.m.step == alive && !u.server().Success.Clean(exit) || u.m.doomed
	if u.m.step == alive {
		u.by = "" // nobody caused it
	}
	u.lasted = exit.At.Sub(u.run.StartedAt)
	u.exit, u.dead = &exit, u.proc
	u.healthy, u.ailing = nil, ""
	u.trades.Checker.End(u.name)
	return Input{Kind: Ended, End: u.classify(exit)}
}

// explainExit adds what takes time to find out, now that the server may be up
// again.
func (u *unit) explainExit() {
	if u.dead == nil {
		return
	}
	if u.exit != nil && u.exit.Signal == syscall.SIGKILL && u.dead.OutOfMemory() {
		exit := *u.exit
		exit.OOM = true
		u.exit = &exit
	}
	u.dead = nil
}

func (u *unit) classify(exit services.Exit) ending {
	switch {
	case !exit.Seen:
		return endedUnseen
	case u.server().Success.Clean(exit):
		return endedClean
	}
	return endedBadly
}

func (u *unit) goneInput() Input {
	failpoint.At("stop-gone")
	u.proc, u.ended, u.adopted = nil, false, false
	u.run = services.Run{}
	return Input{Kind: Gone}
}

func newRunID() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
