package history

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tend/services"
)

// alive checks that events and samples are kept, with what is in there last.
func (h *house) alive(last uint64, want string) {
	h.t.Helper()
	now := time.Now()
	h.Event(services.Event{ID: last, At: at(now), Kind: services.EventHealth, Server: "api", Message: "alive"})
	h.Sample("api", services.Sample{At: at(now), CPU: 5})
	h.settle()
	if got := ids(h.events(services.HistoryQuery{})); got != want {
		h.t.Errorf("the events are %q, want %q", got, want)
	}
	if got := h.samples("api", now.Add(-services.FineStep), now.Add(time.Second), 10); len(got) == 0 || got[len(got)-1].CPU != 5 {
		h.t.Errorf("the samples are %+v", got)
	}
}

// used is a file as an earlier manager has left it: event 1, and a run.
func used(t *testing.T) string {
	t.Helper()
	path := file(t)
	h := open(t, path)
	h.Event(services.Event{ID: 1, At: at(time.Now()), Kind: services.EventStarted, Server: "api", Message: "begun", Status: &services.Status{Phase: services.Running, Run: "a", StartedAt: at(time.Now())}})
	h.end()
	return path
}

// alter changes a closed file by SQL.
func alter(t *testing.T, path, statement string) {
	t.Helper()
	db, err := openDatabase(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

func TestAFileThatCannotBeUsedIsSetAside(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(t *testing.T, path string)
		why   string
	}{
		"garbage":         {func(t *testing.T, path string) { overwrite(t, path, bytes.Repeat([]byte("garbage "), 1000)) }, "not a database"},
		"one byte":        {func(t *testing.T, path string) { overwrite(t, path, []byte("x")) }, "too short"},
		"a torn file":     {func(t *testing.T, path string) { truncate(t, path, 5000) }, "malformed"},
		"another program": {func(t *testing.T, path string) { alter(t, path, "PRAGMA application_id=5") }, "belongs to another program"},
		"a newer tend":    {func(t *testing.T, path string) { alter(t, path, "PRAGMA user_version=7") }, "it is of version 7, from a newer tend, and this one reads up to 1"},
		"no version":      {func(t *testing.T, path string) { alter(t, path, "PRAGMA user_version=-3") }, "version -3 never existed"},
		"a lost table":    {func(t *testing.T, path string) { alter(t, path, "DROP TABLE runs") }, "its tables are not what they should be"},
		"a lost column":   {func(t *testing.T, path string) { alter(t, path, "ALTER TABLE events RENAME COLUMN by TO who") }, "its tables are not what they should be"},
		"a directory": {func(t *testing.T, path string) {
			os.Remove(path)
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		"a dangling link": {func(t *testing.T, path string) {
			os.Remove(path)
			if err := os.Symlink("nowhere", path); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := used(t)
				tt.spoil(t, path)
				h := open(t, path)
				h.wantReports(tt.why)
				h.wantReports("set aside as history.db.corrupt-")
				h.alive(2, "2")
				h.end()
				if got := aside(t, path); len(got) != 1 {
					t.Errorf("set aside are %v", got)
				}
				h = open(t, path)
				h.alive(3, "3 2")
				h.end()
				h.wantReports()
			})
		})
	}
}

func overwrite(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func truncate(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Fatal(err)
	}
}

func TestAnEmptyFileIsANewOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := file(t)
		overwrite(t, path, nil)
		h := open(t, path)
		h.alive(1, "1")
		h.end()
		h.wantReports()
	})
}

func TestWhatIsSetAsideDoesNotPileUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := file(t)
		for n := range 5 {
			os.Remove(path)
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
			overwrite(t, path+"-wal", []byte("garbage"))
			h := open(t, path)
			h.alive(uint64(n+1), ids(services.HistoryPage{Events: []services.Event{{ID: uint64(n + 1)}}}))
			h.end()
			h.wantReports("set aside")
		}
		got := aside(t, path)
		if len(got) != keepAside {
			t.Fatalf("set aside are %v", got)
		}
		all, err := filepath.Glob(path + asideMark + "*")
		if err != nil || len(all) != 2*keepAside {
			t.Errorf("beside them are %v, %v", all, err)
		}
	})
}

func TestALogOfALostFileIsNotTakenForThatOfTheNextOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := used(t)
		h := open(t, path)
		h.alive(2, "2 1")
		wal, err := os.ReadFile(path + "-wal")
		if err != nil || len(wal) == 0 {
			t.Fatalf("there is no log: %v", err)
		}
		h.end()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		overwrite(t, path+"-wal", wal)
		h = open(t, path)
		h.alive(3, "3")
		h.end()
		h.wantReports()
	})
}

// A file that is damaged while it is open is noticed by the first reader, or by
// the writer, and what is not written yet goes into the next one.
func TestAFileThatIsDamagedWhileOpenIsSetAside(t *testing.T) {
	for name, byReader := range map[string]bool{"noticed by a reader": true, "noticed by the writer": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, used(t))
				h.Event(services.Event{ID: 1, At: at(time.Now()), Kind: services.EventAdopted, Server: "api", Status: &services.Status{Run: "a", StartedAt: at(time.Now())}})
				h.alive(3, "3 1 1")
				h.execute("PRAGMA wal_checkpoint(TRUNCATE)")
				h.execute("PRAGMA shrink_memory")
				info, err := os.Stat(h.path)
				if err != nil {
					t.Fatal(err)
				}
				<-time.After(time.Minute) // idle readers are gone
				synctest.Wait()
				spoilPages(t, h.path, info.Size())
				if byReader {
					if _, err := h.Events(t.Context(), services.HistoryQuery{}); services.KindOf(err) != services.Unavailable {
						t.Errorf("a damaged file answers %v", err)
					}
				} else {
					h.Event(event(4, services.EventHealth, "api", "x"))
				}
				h.settle()
				h.wantReports("it was set aside as")
				want := "5"
				if !byReader {
					want = "5 4"
				}
				h.alive(5, want)
				if runs := h.runs("api"); len(runs) != 1 || runs[0].ID != "a" {
					t.Errorf("the run that goes on is not carried over: %+v", runs)
				}
				h.end()
				h.wantReports("it was set aside as")
			})
		})
	}
}

// spoilPages destroys all of an open file but its first page.
func spoilPages(t *testing.T, path string, size int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xee}, int(size)-4096), 4096); err != nil {
		t.Fatal(err)
	}
}

func TestAFileThatIsRemovedWhileOpenIsBegunAnew(t *testing.T) {
	for name, remove := range map[string]func(path string) error{
		"removed": os.Remove,
		"removed with its log": func(path string) error {
			for _, side := range sides {
				os.Remove(path + side)
			}
			return os.Remove(path)
		},
		"renamed": func(path string) error { return os.Rename(path, path+".old") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := open(t, used(t))
				h.Event(services.Event{ID: 2, At: at(time.Now()), Kind: services.EventAdopted, Server: "api", Status: &services.Status{Run: "a", StartedAt: at(time.Now())}})
				h.settle()
				if err := remove(h.path); err != nil {
					t.Fatal(err)
				}
				h.alive(3, "3")
				if runs := h.runs("api"); len(runs) != 1 || runs[0].ID != "a" || !runs[0].EndedAt.IsZero() {
					t.Errorf("the run that goes on is not carried over: %+v", runs)
				}
				h.end()
				h.wantReports("was removed or replaced")
			})
		})
	}
}

func TestAFileThatIsBroughtBackIsUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := used(t)
		copied, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		h := open(t, path)
		h.alive(2, "2 1")
		overwrite(t, path+".copy", copied)
		if err := os.Rename(path+".copy", path); err != nil {
			t.Fatal(err)
		}
		h.alive(3, "3 1")
		h.end()
		h.wantReports("was removed or replaced")
	})
}

func TestADirectoryThatIsNotThereIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "later", FileName)
		h := open(t, path)
		h.wantReports("history cannot be written")
		now := time.Now()
		h.Event(event(1, services.EventHealth, "api", "x"))
		h.Sample("api", services.Sample{At: at(now), CPU: 7})
		h.settle()
		if _, err := h.Events(t.Context(), services.HistoryQuery{}); services.KindOf(err) != services.Unavailable {
			t.Errorf("without a file: %v", err)
		}
		if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		<-time.After(lastRetry)
		h.alive(2, "2 1")
		h.wantReports("history cannot be written", "history is written again")
		h.end()
	})
}

func TestAFullFileLosesNothingOnceThereIsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, used(t))
		h.settle()
		h.execute("PRAGMA max_page_count=1") // that is as large as it is
		long := strings.Repeat("x", 2000)
		for n := range 500 {
			h.Event(event(n+2, services.EventHealth, "api", long))
		}
		<-time.After(time.Minute)
		synctest.Wait()
		h.wantReports("history cannot be written")
		// The first may still fit into what is left of a page.
		if got := h.events(services.HistoryQuery{Limit: 1000}).Events; len(got) > 2 {
			t.Errorf("%d events are there although there is no room", len(got))
		}
		h.execute("PRAGMA max_page_count=1000000")
		<-time.After(lastRetry)
		synctest.Wait()
		h.wantReports("history cannot be written", "history is written again")
		if got := h.events(services.HistoryQuery{Limit: 1000}); len(got.Events) != 501 || got.Events[0].ID != 501 {
			t.Errorf("there are %d events", len(got.Events))
		}
		h.end()
	})
}

func mounted(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := mountSmall(dir); err != nil {
		t.Skipf("a file system of its own needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := unmount(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

func TestAFullDiskStopsNobody(t *testing.T) {
	dir := mounted(t)
	synctest.Test(t, func(t *testing.T) {
		big := filepath.Join(dir, "big")
		fill := func() { os.WriteFile(big, make([]byte, 2<<20), 0o600) } //nolint:errcheck // it fills the disk and fails
		fill()
		h := open(t, filepath.Join(dir, FileName))
		h.Event(event(1, services.EventHealth, "api", "x"))
		h.settle()
		h.wantReports("history cannot be written")
		os.Remove(big)
		<-time.After(lastRetry)
		h.alive(2, "2 1")
		h.wantReports("history cannot be written", "history is written again")

		fill()
		long := strings.Repeat("x", 2000)
		for n := range 100 {
			h.Event(event(n+3, services.EventHealth, "api", long))
		}
		<-time.After(time.Minute)
		os.Remove(big)
		<-time.After(lastRetry)
		synctest.Wait()
		if got := h.events(services.HistoryQuery{Limit: 1000}); len(got.Events) != 102 || got.Events[0].ID != 102 {
			t.Errorf("there are %d events", len(got.Events))
		}
		h.end()
		h.wantReports("history cannot be written", "history is written again", "history cannot be written", "history is written again")
	})
}

func TestADirectoryThatBecomesReadOnlyStopsNobody(t *testing.T) {
	dir := mounted(t)
	synctest.Test(t, func(t *testing.T) {
		if err := protect(dir, true); err != nil {
			t.Skip(err)
		}
		h := open(t, filepath.Join(dir, FileName))
		h.Event(event(1, services.EventHealth, "api", "x"))
		h.settle()
		h.wantReports("history cannot be written")
		if err := protect(dir, false); err != nil {
			t.Fatal(err)
		}
		<-time.After(lastRetry)
		h.alive(2, "2 1")
		h.end()
		h.wantReports("history cannot be written", "history is written again")
	})
}

func TestTheEndIsNotHeldUpByAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, filepath.Join(t.TempDir(), "never", FileName))
		h.Event(event(1, services.EventHealth, "api", "x"))
		h.settle()
		began := time.Now()
		if err := h.stop(); err == nil {
			t.Error("the end says that everything is written")
		}
		if took := time.Since(began); took > farewell {
			t.Errorf("it took %v", took)
		}
		h.Event(event(2, services.EventHealth, "api", "x")) // nobody minds
		h.Sample("api", services.Sample{At: at(began)})
	})
}

func TestAnotherProgramMayHoldTheFileForAMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, used(t))
		h.settle()
		db, err := openDatabase(h.path)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		tx := hold(t, db)
		h.Event(event(2, services.EventHealth, "api", "x"))
		h.settle()
		h.wantReports("history cannot be written (database is locked")
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		<-time.After(lastRetry)
		h.alive(3, "3 2 1")
		h.end()
		h.wantReports("history cannot be written", "history is written again")
	})
}

// hold begins to write and does not end.
func hold(t *testing.T, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("DELETE FROM servers"); err != nil {
		t.Fatal(err)
	}
	return tx
}

func TestAChunkThatCannotBeReadIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := file(t)
		h := open(t, path)
		begin := time.Now()
		h.live("api", 5*time.Minute, 15*time.Second)
		h.end()
		alter(t, path, "UPDATE samples SET data = x'07' WHERE key = (SELECT min(key) FROM samples)")
		h = open(t, path)
		wantSeries(t, h.samples("api", begin, begin.Add(5*time.Minute), 300), begin.Add(time.Minute), 15*time.Second, 16)
		h.live("api", 2*time.Hour, 15*time.Second) // it is rolled up without it
		synctest.Wait()
		wantSeries(t, h.samples("api", begin, begin.Add(5*time.Minute), 300), begin.Add(time.Minute), 15*time.Second, 16)
		h.end()
		h.wantReports()
	})
}

func TestWhatAKilledManagerHasWrittenIsThere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := open(t, used(t))
		begin := time.Now()
		h.live("api", 100*time.Minute, 15*time.Second) // some is rolled up, some is in the journal
		h.alive(2, "2 1")
		killed := file(t)
		for _, side := range []string{"", "-wal"} { // as they are while it runs
			content, err := os.ReadFile(h.path + side)
			if err != nil {
				t.Fatal(err)
			}
			overwrite(t, killed+side, content)
		}
		h.end()
		h = open(t, killed)
		h.alive(3, "3 2 1")
		got := h.samples("api", begin, begin.Add(100*time.Minute), 2000)
		if len(got) < 99*4 {
			t.Errorf("%d spans are left", len(got))
		}
		wantSeries(t, got, begin.Truncate(15*time.Second), 15*time.Second, len(got))
		<-time.After(2 * time.Hour)
		synctest.Wait()
		wantSeries(t, h.samples("api", begin, begin.Add(100*time.Minute), 2000), begin.Truncate(15*time.Second), 15*time.Second, len(got))
		h.end()
		h.wantReports()
	})
}
