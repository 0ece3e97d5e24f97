package main

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tend/services"
)

// eventsInAll is how many events the desk remembers, two pages of them.
const eventsInAll = 1500

// Events implements handlers.History with events that bear their numbers: of
// web, or of old, which has left the configuration and has never failed.
func (d *desk) Events(_ context.Context, q services.HistoryQuery) (page services.HistoryPage, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.past = append(d.past, q)
	server := "web"
	if len(q.Servers) > 0 && !slices.Contains(q.Servers, "web") {
		if server = "old"; !slices.Contains(q.Servers, "old") || slices.Contains(q.Kinds, services.EventFailed) {
			return page, nil
		}
	}
	newest := uint64(eventsInAll)
	if q.Before != 0 {
		newest = q.Before - 1
	}
	for id := newest; id > 0 && len(page.Events) < q.Limit; id-- {
		page.Events = append(page.Events, services.Event{ID: id, At: services.Time{Time: noon}, Kind: services.EventStarted, Server: server, Message: fmt.Sprintf("%s \x1b[2Jhas started for the %d. time", server, id), By: "a user"})
	}
	if last := page.Events[len(page.Events)-1].ID; last > 1 {
		page.Next = last
	}
	return page, nil
}

// Runs implements handlers.History.
func (d *desk) Runs(_ context.Context, server string, _ time.Time, limit int) ([]services.PastRun, error) {
	at := func(ago time.Duration) services.Time { return services.Time{Time: noon.Add(-ago)} }
	return []services.PastRun{
		{ID: "c", Server: server, StartedAt: services.Time{Time: d.long}},
		{ID: "b", Server: server, StartedAt: at(time.Hour), EndedAt: at(30 * time.Minute), Exit: &services.Exit{Code: 3, Seen: true, At: noon}, Crash: true, Lines: []string{"panic:\x1b[2J", "  at all"}},
		{ID: "a", Server: server, StartedAt: at(2 * time.Hour), EndedAt: at(time.Hour)},
	}[:min(limit, 3)], nil
}

// Samples implements handlers.History.
func (d *desk) Samples(context.Context, string, time.Time, time.Time, int) ([]services.Sample, error) {
	return nil, nil
}

func TestHistoryIsPrintedOldestFirstAcrossItsPages(t *testing.T) {
	d := newDesk(t)
	code, out, errs := d.tend("history", "-n", "2")
	if want := "2030-01-02 12:00:00  started   web  [2Jhas started for the 1499. time [a user]\n" +
		"2030-01-02 12:00:00  started   web  [2Jhas started for the 1500. time [a user]\n"; code != 0 || out != want || errs != "" {
		t.Errorf("printed %d %q %q", code, out, errs)
	}
	_, out, _ = d.tend("history", "--json", "-n", "5000")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var first services.Event
	if err := json.Unmarshal([]byte(lines[0]), &first); err != nil || first.ID != 1 || first.By != "a user" || len(lines) != eventsInAll {
		t.Errorf("%d lines, the first is %+v: %v", len(lines), first, err)
	}
	d.tend("history", "web", "db", "--kind", "exited", "--kind", "failed", "--text", "oom", "--since", "2030-01-02T03:04:05Z", "--until", "2030-01-03T03:04:05Z")
	want := services.HistoryQuery{
		Servers: []string{"web", "db"}, Kinds: []services.EventKind{services.EventExited, services.EventFailed}, Text: "oom", Limit: 1000,
		Since: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC), Until: time.Date(2030, 1, 3, 3, 4, 5, 0, time.UTC),
	}
	if got := d.past[len(d.past)-1]; !reflect.DeepEqual(got, want) {
		t.Errorf("asked %+v", got)
	}
}

func TestHistoryOfAServerThatNeverWasEndsWithThree(t *testing.T) {
	d := newDesk(t)
	for _, args := range []string{"history nobody", "history nobody --json", "history nobody --kind failed", "history web nobody", "history --runs nobody"} {
		d.expect(args, 3, "", "tend: there is no server \"nobody\"\n")
	}
	d.expect("history db", 0, "", "")
	d.expect("history old -n 1", 0, "2030-01-02 12:00:00  started   old  [2Jhas started for the 1500. time [a user]\n", "")
	d.expect("history old --kind failed", 0, "", "")
}

func TestRunsAreShownWithTheLastWordsOfACrash(t *testing.T) {
	d := newDesk(t)
	d.expect("history --runs web", 0, `2030-01-02 10:00:00  ran for 1h00m, how it ended is not known
2030-01-02 11:00:00  ran for 30m00s, exited with code 3
    panic: [2J
      at all
`+d.long.Format(time.DateTime)+"  runs for 1h30m\n", "")
	_, out, _ := d.tend("history", "--runs", "web", "-n", "1", "--json")
	var run services.PastRun
	if err := json.Unmarshal([]byte(out), &run); err != nil || run.ID != "c" {
		t.Errorf("printed %q: %v", out, err)
	}
	d.expect("history --runs nobody", 3, "", "tend: there is no server \"nobody\"\n")
}
