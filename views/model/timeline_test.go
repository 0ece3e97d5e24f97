package model_test

import (
	"net/url"
	"testing"
	"time"

	"tend/services"
	"tend/views/canned"
	"tend/views/model"
)

func TestATimelineIsADayAtATimeAndKeepsItsFilter(t *testing.T) {
	now := time.Date(2026, 11, 23, 14, 0, 0, 0, time.Local)
	asked := url.Values{"server": {"gone"}, "text": {"a b"}, "before": {"12"}, "limit": {"3"}}
	got := model.TimelineOf(canned.Happenings(now), []string{"api"}, asked, now)
	if len(got.Days) != 3 || got.Days[0].Title != "Today" || got.Days[1].Title != "Yesterday" || got.Days[2].Title != "Saturday, 21 November 2026" {
		t.Errorf("days %+v", got.Days)
	}
	if got.Older != "/timeline?before=7&server=gone&text=a+b" || got.Newest != "/timeline?server=gone&text=a+b" {
		t.Errorf("older %s, newest %s", got.Older, got.Newest)
	}
	f := got.Filter
	if !f.Set || f.Text != "a b" || len(f.Servers) != 2 || f.Servers[1] != (model.Choice{Value: "gone", Text: "gone", Chosen: true}) || len(f.Kinds) != len(services.EventKinds) {
		t.Errorf("filter %+v", f)
	}
	first := got.Days[0].Events[0]
	if first.Kind != "crashed" || first.Tone != model.Bad || first.Text != "exited with code 3 after 2.1 s, 7th failure in a row" || first.By != "policy" || first.At.Clock != "13:59:56" {
		t.Errorf("%+v", first)
	}
	if plain := model.TimelineOf(services.HistoryPage{}, nil, url.Values{}, now); plain.Filter.Set || plain.Older != "" || plain.Newest != "" || len(plain.Days) != 0 {
		t.Errorf("%+v", plain)
	}
}

func TestRunsSayHowTheyEnded(t *testing.T) {
	now := time.Date(2026, 11, 23, 14, 0, 0, 0, time.Local)
	got := model.RunsOf(canned.Runs(now), now)
	for i, want := range []struct {
		how, lasted string
		tone        model.Tone
		ended       bool
	}{
		{"runs", "17m 00s", model.Good, false}, {"exited with code 1", "1m 57s", model.Bad, true},
		{"killed by SIGTERM", "1d 01h", model.Quiet, true}, {"killed by SIGKILL: out of memory", "39d 22h", model.Bad, true},
	} {
		if r := got[i]; r.How != want.how || r.Lasted != want.lasted || r.Tone != want.tone || r.Ended.Set != want.ended {
			t.Errorf("%+v, want %+v", r, want)
		}
	}
}

func TestAPlanSaysWhatItStops(t *testing.T) {
	got := model.PlanOf(canned.Plan())
	if !got.Stops || len(got.Groups) != 4 || got.ID != canned.Plan().ID() || got.Summary != "3 servers would stay as they are." {
		t.Errorf("%+v", got)
	}
	if none := model.PlanOf(services.Plan{Unchanged: []string{"a"}}); none.Stops || none.ID != "" || none.Summary != "The file says what the manager uses already: 1 server." {
		t.Errorf("%+v", none)
	}
}
