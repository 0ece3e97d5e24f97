package model_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"tend/services"
	"tend/views/model"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestTimesAreRoundOnTheWallClockAlsoWhenItChanges(t *testing.T) {
	paris, kathmandu, santiago := zone(t, "Europe/Paris"), zone(t, "Asia/Kathmandu"), zone(t, "America/Santiago")
	for _, tt := range []struct {
		name string
		r    model.Range
		now  time.Time
		want string
	}{
		{"an hour", model.RangeHour, time.Date(2024, 5, 14, 12, 34, 56, 0, time.UTC), "11:40 (11:50) 12:00 (12:10) 12:20 (12:30)"},
		{"an hour with the clock at a quarter", model.RangeHour, time.Date(2024, 5, 14, 12, 5, 0, 0, kathmandu), "(11:10) 11:20 (11:30) 11:40 (11:50) 12:00"},
		{"an hour that is skipped", model.RangeHour, time.Date(2024, 3, 31, 3, 20, 0, 0, paris), "(01:20) (01:30) 01:40 (01:50) 03:00 (03:10) (03:20)"},
		{"an hour that comes twice", model.RangeHour, time.Date(2024, 10, 27, 1, 20, 0, 0, time.UTC).In(paris), "(02:20) (02:30) 02:40 (02:50) 02:00 (02:10) (02:20)"},
		{"a day", model.RangeDay, time.Date(2024, 5, 14, 12, 34, 0, 0, paris), "(15:00) 18:00 (21:00) Tue 14 (03:00) 06:00 (09:00) (12:00)"},
		{"a day of 23 hours", model.RangeDay, time.Date(2024, 3, 31, 23, 30, 0, 0, paris), "Sun 31 (03:00) 06:00 (09:00) 12:00 (15:00) 18:00 (21:00)"},
		{"a day of 25 hours", model.RangeDay, time.Date(2024, 10, 27, 23, 30, 0, 0, paris), "(03:00) 06:00 (09:00) 12:00 (15:00) 18:00 (21:00)"},
		{"a day without a midnight", model.RangeDay, time.Date(2024, 9, 8, 12, 0, 0, 0, santiago), "12:00 (15:00) 18:00 (21:00) Sun 8 (03:00) 06:00 (09:00) (12:00)"},
		{"a week", model.RangeWeek, time.Date(2024, 4, 2, 12, 0, 0, 0, paris), "Wed 27 (Thu 28) Fri 29 (Sat 30) Sun 31 (Mon 1) Tue 2"},
		{"a month", model.RangeMonth, time.Date(2024, 4, 10, 12, 0, 0, 0, paris), "18 Mar 25 Mar 1 Apr 8 Apr"},
	} {
		samples := []services.Sample{{At: services.Time{Time: tt.now}, State: services.VigourUp, CPU: 1}}
		ticks := model.NewCharts("api", tt.r, samples, nil, tt.now).Charts[0].Ticks
		var got []string
		last := -1.0
		for _, tick := range ticks {
			label := tick.Label
			if tick.Minor {
				label = "(" + label + ")"
			}
			got = append(got, label)
			x, err := strconv.ParseFloat(strings.TrimSuffix(tick.X, "%"), 64)
			if err != nil || x <= last || x > 100 {
				t.Errorf("%s: %s stands at %s, after %v", tt.name, tick.Label, tick.X, last)
			}
			last = x
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: the times are %q, want %q", tt.name, strings.Join(got, " "), tt.want)
		}
	}
}

func TestTimesStandWhereTheyAre(t *testing.T) {
	samples := []services.Sample{{At: services.Time{Time: noon}, State: services.VigourUp, CPU: 1}}
	got := model.NewCharts("api", model.RangeHour, samples, nil, noon).Charts[0].Ticks
	want := []model.TimeTick{
		{X: "0%", Label: "11:00", Anchor: "start", Minor: true},
		{X: "16.7%", Label: "11:10", Anchor: "middle", Minor: true},
		{X: "33.3%", Label: "11:20", Anchor: "middle"},
		{X: "50%", Label: "11:30", Anchor: "middle", Minor: true},
		{X: "66.7%", Label: "11:40", Anchor: "middle"},
		{X: "83.3%", Label: "11:50", Anchor: "middle", Minor: true},
		{X: "100%", Label: "12:00", Anchor: "end", Minor: true},
	}
	if !slices.Equal(got, want) {
		t.Errorf("the ticks are %+v, want %+v", got, want)
	}
}
