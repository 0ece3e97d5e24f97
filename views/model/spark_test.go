package model_test

import (
	"slices"
	"testing"
	"time"

	"tend/services"
	"tend/views/model"
)

// A spark is 96 wide and 20 high with room for 2 at the edges; 25 % of the
// least scale of 50 % are in the middle.
func TestASparkIsAPictureOfTheSizeOfAWord(t *testing.T) {
	const step = 10 * time.Minute
	for _, tt := range []struct {
		name    string
		samples []services.Sample
		want    model.Spark
	}{
		{"nothing", nil, model.Spark{Value: "–", Empty: true, Text: "CPU over the last hour: nothing measured"}},
		{"little looks little", used(step, 10, 10), model.Spark{
			Line: "M80 14.8 94 14.8", Area: "M80 20L80 14.8 94 14.8V20z", DotX: "94", DotY: "14.8",
			Value: "10 %", Text: "CPU over the last hour: now 10 %, highest 10 % at 11:50",
		}},
		{"much looks much", used(step, 25, 200), model.Spark{
			Line: "M80 16 94 2", Area: "M80 20L80 16 94 2V20z", DotX: "94", DotY: "2",
			Value: "200 %", Text: "CPU over the last hour: now 200 %, highest 200 % at 12:00",
		}},
		{"gaps", used(step, 25, 25, -1, -1, 25, 25), model.Spark{
			Line: "M16 10 32 10M80 10 94 10", Area: "M16 20L16 10 32 10V20zM80 20L80 10 94 10V20z", DotX: "94", DotY: "10",
			Value: "25 %", Text: "CPU over the last hour: now 25 %, highest 25 % at 11:10",
		}},
		{"not any more", used(step, 25, 25, -1, -1), model.Spark{
			Line: "M48 10 64 10", Area: "M48 20L48 10 64 10V20z",
			Value: "–", Text: "CPU over the last hour: not measured now, highest 25 % at 11:30",
		}},
		{"one point", used(step, 25), model.Spark{DotX: "94", DotY: "10", Value: "25 %", Text: "CPU over the last hour: now 25 %, highest 25 % at 12:00"}},
	} {
		if got := model.NewSpark(tt.samples, model.MeasureCPU, noon.Add(-time.Hour), noon); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
	if got := model.NewSpark(used(time.Minute, 1, 1), model.MeasureMemory, noon.Add(-10*time.Minute), noon).Text; got != "Memory over the last 10 minutes: now 1 MiB, highest 1 MiB at 11:59" {
		t.Errorf("memory says %q", got)
	}
}

// states returns samples with these vigours, a minute apart, that fill the
// minutes before noon.
func states(list ...services.Vigour) []services.Sample {
	var out []services.Sample
	for i, v := range list {
		out = append(out, services.Sample{At: services.Time{Time: noon.Add(-time.Duration(len(list)-i) * time.Minute)}, State: v})
	}
	return out
}

func TestAStripShowsTheWorstOfEachSlot(t *testing.T) {
	const (
		none, down, up, unwell, broken = services.VigourNone, services.VigourDown, services.VigourUp, services.VigourUnhealthy, services.VigourBroken
	)
	crash := model.ChartMark{At: noon.Add(-3 * time.Minute), Kind: model.MarkCrash}
	for _, tt := range []struct {
		name    string
		samples []services.Sample
		marks   []model.ChartMark
		slots   int
		cells   []model.StripCells
		faults  []string
		text    string
	}{
		{"nothing", nil, nil, 2, []model.StripCells{{"cell-none", "M1 20v-1h8v1zM11 20v-1h8v1z"}}, nil, "last 6 minutes: nothing known"},
		{"each as it is", states(none, down, up, unwell, broken, up), []model.ChartMark{crash}, 6, []model.StripCells{
			{"cell-none", "M1 20v-1h8v1z"}, {"cell-down", "M11 20v-4h8v4z"}, {"cell-up", "M21 20v-20h8v20zM51 20v-20h8v20z"},
			{"cell-unhealthy", "M31 20v-11h8v11z"}, {"cell-broken", "M41 20v-7h8v7z"},
		}, []string{"75%"}, "last 6 minutes: well 40 %, unhealthy 1 min, broken 1 min, down 1 min, not known 1 min, crashed once"},
		{"the worst of two", states(up, unwell, up, down, broken, up), nil, 3, []model.StripCells{
			{"cell-up", "M11 20v-20h8v20z"}, {"cell-unhealthy", "M1 20v-11h8v11z"}, {"cell-broken", "M21 20v-7h8v7z"},
		}, []string{"83.3%"}, ""},
		{"one for several", states(up, broken, broken, up, up, up), nil, 12, []model.StripCells{
			{"cell-up", "M1 20v-20h8v20zM11 20v-20h8v20zM61 20v-20h8v20zM71 20v-20h8v20zM81 20v-20h8v20zM91 20v-20h8v20zM101 20v-20h8v20zM111 20v-20h8v20z"},
			{"cell-broken", "M21 20v-7h8v7zM31 20v-7h8v7zM41 20v-7h8v7zM51 20v-7h8v7z"},
		}, []string{"33.3%"}, ""},
	} {
		got := model.NewStrip(tt.samples, tt.marks, noon.Add(-6*time.Minute), noon, tt.slots)
		if !slices.Equal(got.Cells, tt.cells) || !slices.Equal(got.Faults, tt.faults) || len(got.Hits) != 0 {
			t.Errorf("%s: %+v, want %v with crosses at %v", tt.name, got, tt.cells, tt.faults)
		}
		if tt.text != "" && got.Text != tt.text {
			t.Errorf("%s: it says %q, want %q", tt.name, got.Text, tt.text)
		}
	}
}

func TestAStripSaysHowMuchOfTheTimeAServerWasWell(t *testing.T) {
	list := slices.Repeat([]services.Vigour{services.VigourUp}, 60)
	list[20], list[21] = services.VigourDown, services.VigourDown
	crash := model.ChartMark{At: noon.Add(-39 * time.Minute), Kind: model.MarkCrash}
	got := model.NewStrip(states(list...), []model.ChartMark{crash}, noon.Add(-time.Hour), noon, 60)
	if want := "last hour: well 96 %, down 2 min, crashed once"; got.Text != want {
		t.Errorf("it says %q, want %q", got.Text, want)
	}
	if got := model.NewStrip(states(list[30:]...), nil, noon.Add(-time.Hour), noon, 60); got.Text != "last hour: well 100 %, not known 30 min" {
		t.Errorf("it says %q", got.Text)
	}
}

func TestAStripOnThePageSaysWhenItWasNotWell(t *testing.T) {
	list := slices.Repeat([]services.Vigour{services.VigourUp}, 60)
	list[20], list[21], list[40] = services.VigourDown, services.VigourDown, services.VigourBroken
	samples := states(list...)
	c := model.NewCharts("api", model.RangeHour, samples, nil, noon)
	want := []model.Hit{
		{X: "200", Width: "20", Text: "11:20 to 11:22, down"},
		{X: "400", Width: "10", Text: "11:40 to 11:41, broken"},
	}
	if !slices.Equal(c.Health.Hits, want) {
		t.Errorf("pointing says %+v, want %+v", c.Health.Hits, want)
	}
}
