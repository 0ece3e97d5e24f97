package monitor

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestServersWithoutPortAreReportedInOneBatchAnInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, 0, Target{Server: "a", Run: "r1", Alive: true}, Target{Server: "b"})
		h.want(h.after(0), "0s a/r1 true", "0s b/ nil")
		h.want(h.after(DefaultInterval - 1))
		h.want(h.after(1), "3s a/r1 true", "3s b/ nil")
		h.set(func() { h.targets[0] = Target{Server: "a", Run: "r2", Alive: true} })
		h.want(h.after(2*DefaultInterval), "6s a/r2 true", "6s b/ nil", "9s a/r2 true", "9s b/ nil")
		if looks := h.looks(); looks != 4 {
			t.Errorf("asked %d times for targets", looks)
		}
		h.wantLookups(0)
		h.stop()
	})
}

func TestALiveServerIsHealthyWhileItsPortTakesConnections(t *testing.T) {
	for network, address := range map[string]string{"tcp4": "127.0.0.1:0", "tcp6": "[::1]:0", "tcp": ":0"} {
		t.Run(network+" "+address, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				port, closePort := listen(t, network, address)
				h := open(t, time.Second, Target{Server: "a", Run: "r", Alive: true, Port: port})
				h.want(h.after(time.Second), "0s a/r true", "1s a/r true")
				closePort()
				h.want(h.after(time.Second), fmt.Sprintf("2s a/r false nothing listens on port %d", port))
				h.stop()
			})
		})
	}
}

func TestAServerThatDoesNotAcceptTimesOutAloneAndIsCheckedOnceAtATime(t *testing.T) {
	for interval, c := range map[time.Duration]struct{ first, says string }{
		3 * time.Second:        {"1s", "1s"},
		200 * time.Millisecond: {"200ms", "200ms"},
	} {
		t.Run(interval.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				hung := hang(t)
				port, _ := listen(t, "tcp", "127.0.0.1:0")
				h := open(t, interval,
					Target{Server: "hung", Run: "r", Alive: true, Port: hung},
					Target{Server: "well", Run: "r", Alive: true, Port: port})
				got := h.after(interval * 5)
				var well, ill []Result
				for _, r := range got {
					if r.Server == "well" {
						well = append(well, r)
					} else {
						ill = append(ill, r)
					}
				}
				if len(well) != 5 {
					t.Errorf("the other one was checked %d times", len(well))
				}
				for i, r := range well {
					if at := r.At.Sub(h.epoch); at != interval*time.Duration(i)+interval/2 {
						t.Errorf("the other one was checked at %v", at)
					}
				}
				if len(ill) < 2 || len(ill) > 5 {
					t.Fatalf("%d results of the hung one", len(ill))
				}
				h.want(ill[:1], fmt.Sprintf("%s hung/r false port %d does not answer within %s", c.first, hung, c.says))
				h.stop()
			})
		})
	}
}

// TestChecksAreSpreadEvenlyOverTheInterval looks at servers that are down: all
// go through the same queue, and the kernel is not asked, which on a busy
// machine answers when the time has gone on.
func TestChecksAreSpreadEvenlyOverTheInterval(t *testing.T) {
	for _, n := range []int{1, 3, 100, 101, 1000} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				targets := make([]Target, n)
				for i := range targets {
					targets[i] = Target{Server: fmt.Sprint(i), Port: i + 1}
				}
				h := open(t, DefaultInterval, targets...)
				last := make(map[string]time.Time)
				for range 3 {
					got := h.after(DefaultInterval)
					perInstant := make(map[time.Time]int)
					for _, r := range got {
						perInstant[r.At]++
						if before, ok := last[r.Server]; ok && r.At.Sub(before) != DefaultInterval {
							t.Fatalf("server %s was checked again after %v", r.Server, r.At.Sub(before))
						}
						last[r.Server] = r.At
					}
					if len(last) != n || len(perInstant) < min(n, slots) {
						t.Fatalf("%d servers checked at %d instants", len(last), len(perInstant))
					}
					for at, count := range perInstant {
						if count > n/slots+2 {
							t.Errorf("%d checks at %v", count, at.Sub(h.epoch))
						}
					}
				}
				h.stop()
			})
		})
	}
}

func TestMoreHungServersThanMayBeOpenAreAllReportedInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung := hang(t)
		const n = maxOpen * 2
		targets := make([]Target, n)
		for i := range targets {
			targets[i] = Target{Server: fmt.Sprint(i), Run: "r", Alive: true, Port: hung}
		}
		h := open(t, time.Second, targets...)
		most, reported := 0, make(map[string]int)
		for range 60 {
			for _, r := range h.after(100 * time.Millisecond) {
				if r.Healthy == nil || *r.Healthy {
					t.Fatalf("reported %s", h.say(r))
				}
				reported[r.Server]++
			}
			entries, err := os.ReadDir("/dev/fd")
			if err != nil {
				t.Skip(err)
			}
			most = max(most, len(entries))
		}
		if len(reported) != n {
			t.Errorf("%d of %d servers were reported", len(reported), n)
		}
		for server, times := range reported {
			if times < 2 || times > 3 { // in six seconds with room for half of them a second
				t.Errorf("server %s was reported %d times", server, times)
			}
		}
		if most > maxOpen+64 {
			t.Errorf("%d open descriptors", most)
		}
		h.stop()
		if entries, _ := os.ReadDir("/dev/fd"); len(entries) > 64 {
			t.Errorf("%d descriptors are left open", len(entries))
		}
	})
}

func TestWhatAStallTookIsNotMadeUpFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, time.Second, Target{Server: "a", Run: "r", Alive: true})
		h.want(h.after(0), "0s a/r true")
		h.set(func() { h.stall = 10*time.Second + 500*time.Millisecond })
		h.want(h.after(12*time.Second), "11.5s a/r true")
		h.stop()
	})
}

func TestThePortOfAServerThatIsDownIsWatched(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, closePort := listen(t, "tcp", "127.0.0.1:0")
		other := free(t)
		h := build(t, time.Second, Target{Server: "a", Port: port}, Target{Server: "b", Port: other})
		h.hold(port, os.Getpid(), "x -y")
		h.run()
		held := fmt.Sprintf("held by %d x -y", os.Getpid())
		h.want(h.after(2900*time.Millisecond),
			"0s a/ nil "+held, "500ms b/ nil", "1s a/ nil "+held, "1.5s b/ nil", "2s a/ nil "+held, "2.5s b/ nil")
		h.wantLookups(1)

		closePort() // and somebody else opens it
		if _, err := reopen(t, port); err != nil {
			t.Skip(err)
		}
		h.hold(port, os.Getppid(), "z")
		h.want(h.after(time.Second), fmt.Sprintf("3s a/ nil held by %d z", os.Getppid()), "3.5s b/ nil")
		h.wantLookups(2)

		h.set(func() { h.targets[0] = Target{Server: "a", Run: "r", Alive: true, Port: port} })
		h.want(h.after(time.Second), "4s a/r true", "4.5s b/ nil")
		h.stop()
	})
}

func TestAServerThatWasStartedIsNotSearchedForAsTheHolderOfItsPort(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, _ := listen(t, "tcp", "127.0.0.1:0")
		other, _ := listen(t, "tcp", "127.0.0.1:0")
		h := build(t, 3*time.Second, Target{Server: "a", Port: free(t)}, Target{Server: "b", Port: port}, Target{Server: "c", Port: other})
		var changes atomic.Uint64
		h.o.Changes, h.o.Looked = changes.Load, func(time.Time) {}
		h.hold(other, os.Getpid(), "x")
		h.run()
		h.want(h.after(100*time.Millisecond), "0s a/ nil")
		h.set(func() { h.targets[1] = Target{Server: "b", Run: "r", Alive: true, Port: port} })
		changes.Add(1)
		// A stranger is found at once, whatever else changes.
		h.want(h.after(2*time.Second), fmt.Sprintf("2s c/ nil held by %d x", os.Getpid()))
		h.wantLookups(1)
		h.want(h.after(2*time.Second), "3s a/ nil", "4s b/r true")
		h.wantLookups(1)
		h.stop()
	})
}

func TestAPortThatIsFreeAgainIsReportedWithoutAHolder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, closePort := listen(t, "tcp", "127.0.0.1:0")
		h := build(t, time.Second, Target{Server: "a", Port: port})
		h.hold(port, os.Getpid(), "x")
		h.run()
		h.want(h.after(0), fmt.Sprintf("0s a/ nil held by %d x", os.Getpid()))
		closePort()
		h.want(h.after(time.Second), "1s a/ nil")
		h.wantLookups(1)
		h.stop()
	})
}

func TestAHolderIsLookedUpAgainWhenItHasEndedAndFromTimeToTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, _ := listen(t, "tcp", "127.0.0.1:0")
		h := build(t, time.Second, Target{Server: "a", Port: port})
		const nobody = 1 << 30 // larger than any pid
		h.hold(port, nobody, "x")
		h.run()
		h.after(2500 * time.Millisecond) // the socket was handed on, its first holder has ended
		h.wantLookups(3)                 // as long as the answer was wrong
		h.hold(port, os.Getpid(), "y")
		h.after(2*recheck + time.Second)
		h.wantLookups(3 + 3)
		h.stop()
	})
}

func TestAHolderThatCannotBeFoundIsSaidAndNotSearchedForAllTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, _ := listen(t, "tcp", "127.0.0.1:0")
		h := open(t, time.Second, Target{Server: "a", Port: port})
		unknown := fmt.Sprintf("port %d is in use, but by whom cannot be found out", port)
		h.want(h.after(1500*time.Millisecond), "0s a/ nil "+unknown, "1s a/ nil "+unknown)
		h.wantLookups(1)
		h.set(func() { h.trouble = errors.New("no /proc") })
		h.after(recheck)
		h.want(h.after(time.Second), "32s a/ nil "+unknown+": no /proc")
		h.wantLookups(2)
		h.stop()
	})
}

func TestAPortThatIsWellAsItWasReportedIsNotReportedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, closePort := listen(t, "tcp", "127.0.0.1:0")
		var changes atomic.Uint64
		var seen atomic.Int64
		a := Target{Server: "a", Run: "r", Alive: true, Port: port, Seen: &seen}
		h := build(t, time.Second, a)
		h.o.Changes, h.o.Looked = changes.Load, func(time.Time) {}
		h.run()
		wantSeen := func(want time.Duration) {
			t.Helper()
			if got := time.UnixMilli(seen.Load()).Sub(h.epoch); got != want {
				t.Errorf("seen at %v, want %v", got, want)
			}
		}
		h.want(h.after(1500*time.Millisecond), "0s a/r true")
		wantSeen(time.Second)

		// After a change it is reported again, and seen from then on.
		h.set(func() { h.targets[0].Run = "s" })
		changes.Add(1)
		h.want(h.after(2*time.Second), "2s a/s true")
		wantSeen(3 * time.Second)

		closePort()
		h.want(h.after(2*time.Second), fmt.Sprintf("4s a/s false nothing listens on port %d", port), fmt.Sprintf("5s a/s false nothing listens on port %d", port))
		wantSeen(3 * time.Second)
		if _, err := reopen(t, port); err != nil {
			t.Skip(err)
		}
		h.want(h.after(2*time.Second), "6s a/s true")
		wantSeen(7 * time.Second)
		h.stop()
	})
}

// What has changed after the targets were asked for, for the sake of one
// server, is not passed over at another one.
func TestAPortIsReportedAgainWhereSomethingHasChangedInBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		port, _ := listen(t, "tcp", "127.0.0.1:0")
		var changes atomic.Uint64
		h := build(t, time.Second, Target{Server: "a", Port: free(t)}, Target{Server: "b", Run: "r", Alive: true, Port: port, Seen: new(atomic.Int64)})
		h.o.Changes, h.o.Looked = changes.Load, func(time.Time) {}
		h.run()
		h.want(h.after(1100*time.Millisecond), "0s a/ nil", "500ms b/r true", "1s a/ nil")
		changes.Add(1)
		h.Hurry("a") // asks for the targets
		h.want(h.after(500*time.Millisecond), "1.5s b/r true")
		h.want(h.after(time.Second), "2s a/ nil", "2.5s b/r true")
		h.want(h.after(time.Second), "3s a/ nil") // nothing has changed any more
		h.stop()
	})
}
