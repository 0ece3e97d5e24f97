package history

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
)

func TestOptionsThatMakeNoSenseAreRefused(t *testing.T) {
	for _, o := range []Options{{}, {Path: file(t), Keep: -time.Second}} {
		if s, err := Open(o); err == nil || s != nil {
			t.Errorf("%+v is accepted", o)
		}
	}
}

func TestAStoreWorksWithoutAnybodyToTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := file(t)
		overwrite(t, path, []byte("garbage"))
		h := open(t, path, func(o *Options) { o.Report, o.Log, o.Lines = nil, nil, nil })
		h.Event(services.Event{ID: 1, Kind: services.EventExited, Server: "api", Crash: true})
		h.settle()
		if e := h.events(services.HistoryQuery{}).Events; len(e) != 1 || e[0].At.IsZero() || time.Since(e[0].At.Time) > time.Minute {
			t.Errorf("got %+v", e)
		}
		h.end()
	})
}

func TestNobodyElseCanReadTheFiles(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0))
	synctest.Test(t, func(t *testing.T) {
		path := file(t)
		check := func() {
			t.Helper()
			for _, side := range []string{"", "-wal", "-shm"} {
				info, err := os.Stat(path + side)
				if err != nil {
					t.Error(err)
				} else if mode := info.Mode().Perm(); mode != 0o600 {
					t.Errorf("history.db%s has mode %o", side, mode)
				}
			}
		}
		h := open(t, path)
		check()
		h.end()
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		h = open(t, path)
		h.alive(1, "1")
		check()
		h.end()
		for _, side := range sides {
			if exists(path + side) {
				t.Errorf("history.db%s is left", side)
			}
		}
	})
}

func TestAPathMayHaveAnyCharacters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir() + "/a b?mode=memory#%41'ä"
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		h := open(t, dir+"/"+FileName)
		h.alive(1, "1")
		h.end()
		h.wantReports()
		if !exists(dir + "/" + FileName) {
			t.Error("the file is somewhere else")
		}
	})
}

func TestTenThousandEventsASecondAreAbsorbed(t *testing.T) {
	var q queue
	const burst = 100_000
	for n := range burst {
		q.put(newRecord(crashEvent(n)))
	}
	if n := q.lost(); n != 0 {
		t.Fatalf("%d are lost", n)
	}
	next := uint64(1)
	for batch := q.take(); batch != nil; batch = q.take() {
		if len(batch) > batchRecords+chunkRecords {
			t.Fatalf("%d at once", len(batch))
		}
		for _, r := range batch {
			if r.id != next {
				t.Fatalf("%d follows %d", r.id, next-1)
			}
			next++
		}
	}
	if next != burst+1 || q.count != 0 || q.bytes != 0 {
		t.Errorf("%d came, %d records and %d bytes are left", next-1, q.count, q.bytes)
	}
}

func TestAQueueThatIsFullLosesTheOldestAndCounts(t *testing.T) {
	for name, message := range map[string]string{"many": "", "large": strings.Repeat("x", longestMessage)} {
		var q queue
		const all = queueRecords + 10_000
		for n := 1; n <= all; n++ {
			q.put(newRecord(services.Event{ID: uint64(n), Message: message}))
		}
		if q.count > queueRecords || q.bytes > queueCapacity+2*longestMessage {
			t.Errorf("%s: %d records of %d bytes wait", name, q.count, q.bytes)
		}
		lost := q.lost()
		if lost == 0 || q.lost() != 0 {
			t.Errorf("%s: %d are lost", name, lost)
		}
		next := uint64(lost + 1)
		for batch := q.take(); batch != nil; batch = q.take() {
			for _, r := range batch {
				if r.id != next {
					t.Fatalf("%s: %d instead of %d", name, r.id, next)
				}
				next++
			}
		}
		if next != all+1 {
			t.Errorf("%s: the last is %d", name, next-1)
		}
	}
}

func TestWhatWasLostIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, file(t), long)
		for n := 1; n <= queueRecords+1; n++ {
			h.Event(event(n, services.EventHealth, "api", ""))
		}
		h.queue.take() // the rest is not of interest
		for batch := h.queue.take(); batch != nil; batch = h.queue.take() {
		}
		h.run()
		h.alive(queueRecords+2, fmt.Sprint(queueRecords+2))
		h.alive(queueRecords+3, fmt.Sprint(queueRecords+3, " ", queueRecords+2))
		h.end()
		h.wantReports(fmt.Sprintf("events came faster than they could be written; %d events were more than could wait, and are lost", chunkRecords))
	})
}

func TestWhatIsTooOldGoesInSmallSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := file(t)
		h := build(t, path, func(o *Options) { o.Keep = 2 * time.Hour })
		begin := time.Now()
		for n := range 3000 { // six hours, and runs of 7.2 s
			now := begin.Add(time.Duration(n) * 7200 * time.Millisecond)
			st := services.Status{Phase: services.Running, Run: fmt.Sprint(n), StartedAt: at(now)}
			h.Event(services.Event{ID: uint64(n + 1), At: at(now), Kind: services.EventStarted, Server: "api", Status: &st, Message: strings.Repeat("x", 2000)})
		}
		h.Event(services.Event{ID: 3001, At: at(begin), Kind: services.EventStarted, Server: "db", Status: &services.Status{Run: "old", StartedAt: at(begin)}})
		h.run()
		h.settle()
		full := pages(h)
		<-time.After(6*time.Hour - time.Since(begin))
		synctest.Wait()
		<-time.After(10 * time.Minute)
		synctest.Wait()
		got := h.events(services.HistoryQuery{Limit: 1000, Until: begin.Add(4 * time.Hour)})
		if len(got.Events) > 0 {
			t.Errorf("%d old events are left", len(got.Events))
		}
		got = h.events(services.HistoryQuery{Limit: 1000})
		if n := len(got.Events); n < 850 || n > 1000 {
			t.Errorf("%d young events are left", n)
		}
		runs, err := h.Runs(t.Context(), "api", time.Time{}, 1000)
		if n := len(runs); err != nil || n < 850 || n > 1000 {
			t.Errorf("%d young runs are left", n)
		}
		if runs := h.runs("db"); len(runs) != 1 {
			t.Errorf("the run that goes on is %+v", runs)
		}
		if now := pages(h); now > full*3/5 {
			t.Errorf("the file had %d pages and has %d", full, now)
		}
		if h.writer.known.events != int64(len(got.Events)) {
			t.Errorf("the writer counts %d events, there are %d", h.writer.known.events, len(got.Events))
		}
		h.end()
	})
}

func pages(h *house) (n int) {
	h.t.Helper()
	if err := h.writer.base.db.QueryRow("PRAGMA page_count").Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

func TestSamplesOfEachTierGoWhenTheyAreTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, file(t))
		now := time.Now().Truncate(24 * time.Hour)
		put := func(tier tier, ago time.Duration) {
			begin := floor(now.Add(-ago).Unix(), tier.span)
			err := h.writer.base.tx(func(s *statements) error {
				return s.store(tier, begin, 1, []services.Sample{{At: at(time.Unix(begin, 0))}})
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		const day = 24 * time.Hour
		for _, tier := range rollups {
			for _, ago := range []time.Duration{time.Hour, 20 * time.Hour, 2 * day, 6 * day, 9 * day, 300 * day, 400 * day} {
				put(tier, ago)
			}
		}
		if _, err := h.writer.prune(now); err != nil {
			t.Fatal(err)
		}
		for i, want := range []int{2, 4, 6} { // coarse chunks are days: an hour and 20 hours ago are the same one
			tier := rollups[i]
			if tier == coarse {
				want--
			}
			var n int
			if err := h.writer.base.db.QueryRow(`SELECT count(*) FROM samples WHERE key >= ? AND key < ?`, tier.key(0, 0), (tier.number+1)<<tierShift).Scan(&n); err != nil || n != want {
				t.Errorf("tier %d has %d chunks, want %d (%v)", tier.number, n, want, err)
			}
		}
	})
}

func TestEventsBeyondTheLargestNumberGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, file(t))
		h.settle()
		h.alive(1, "1")
		h.alive(2, "2 1")
		h.writer.known.events = mostEvents // as if there were
		h.alive(3, "3 2")
		h.end()
	})
}

func TestIdleReadersAreClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, file(t))
		h.alive(1, "1")
		<-time.After(2 * idleReader)
		synctest.Wait()
		if n := h.writer.base.db.Stats().OpenConnections; n != 1 {
			t.Errorf("%d connections are open", n)
		}
		h.end()
	})
}

// TestWhoAsksRightAfterwardsSeesWhatHasHappened: what came within a second of
// something else was not there yet.
func TestWhoAsksRightAfterwardsSeesWhatHasHappened(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, file(t))
		begin := time.Now()
		for n := 1; n <= 5; n++ {
			h.Event(event(n, services.EventHealth, "api", "x"))
			if got := len(h.events(services.HistoryQuery{}).Events); got != n {
				t.Errorf("%d of %d events", got, n)
			}
		}
		s := up("run", begin)
		started := event(6, services.EventStarted, "api", "x")
		started.Status = &s
		h.Event(started)
		if got := len(h.runs("api")); got != 1 {
			t.Errorf("%d runs", got)
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("it took %v", took)
		}
		h.end()

		// Where it cannot be written nobody waits for ever.
		h.Event(event(7, services.EventHealth, "api", "x"))
		h.Events(t.Context(), services.HistoryQuery{}) //nolint:errcheck // there is nothing to read from
		if took := time.Since(begin); took != longestWait {
			t.Errorf("it took %v", took)
		}
	})
}

func TestAnybodyMayReadAndTellAtAnyTime(t *testing.T) {
	h := open(t, file(t), long)
	stop := make(chan struct{})
	done := make(chan struct{})
	const readers = 6
	for n := range readers {
		go func() {
			defer func() { done <- struct{}{} }()
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				h.Event(crashEvent(i))
				h.Sample("api", services.Sample{At: at(epoch.Add(time.Duration(i) * time.Second))})
				var err error
				switch n % 3 {
				case 0:
					_, err = h.Events(t.Context(), services.HistoryQuery{Text: "exited", Limit: 5})
				case 1:
					_, err = h.Runs(t.Context(), "server-1", time.Time{}, 5)
				case 2:
					_, err = h.Samples(t.Context(), "api", time.Time{}, time.Time{}, 5)
				}
				if err != nil && services.KindOf(err) != services.Unavailable {
					t.Error(err)
				}
				runtime.Gosched()
			}
		}()
	}
	for range 8 { // each time the file goes while they read
		h.queue.put(newRecord(event(1, services.EventHealth, "api", "x")))
		if _, err := h.Events(t.Context(), services.HistoryQuery{Limit: 1}); err == nil {
			os.Remove(h.path)
		}
		wake(h.news)
	}
	close(stop)
	for range readers {
		<-done
	}
	h.end()
}
