package model_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tend/services"
	"tend/views/model"
)

// noon is when charts are drawn in these tests.
var noon = time.Date(2024, 5, 14, 12, 0, 0, 0, time.UTC)

// used returns samples with these percents of CPU, a step apart, the last one
// at noon; a negative one stands for nothing measured.
func used(step time.Duration, percents ...float64) []services.Sample {
	var out []services.Sample
	for i, v := range percents {
		at := noon.Add(-time.Duration(len(percents)-1-i) * step)
		if v >= 0 {
			out = append(out, services.Sample{At: services.Time{Time: at}, State: services.VigourUp, CPU: v, CPUMax: v, Memory: 1 << 20, MemoryMax: 1 << 20})
		}
	}
	return out
}

func cpu(t *testing.T, samples []services.Sample, marks ...model.ChartMark) model.Chart {
	t.Helper()
	c := model.NewCharts("api", model.RangeHour, samples, marks, noon)
	if c.Empty != "" || len(c.Charts) != 3 || c.Charts[0].Title != "CPU" {
		t.Fatalf("the charts are %q and %d", c.Empty, len(c.Charts))
	}
	return c.Charts[0]
}

func TestValuesHaveUnits(t *testing.T) {
	for _, tt := range []struct {
		measure model.Measure
		value   float64
		want    string
	}{
		{model.MeasureCPU, 0, "0 %"},
		{model.MeasureCPU, 0.04, "0 %"},
		{model.MeasureCPU, 0.35, "0.4 %"},
		{model.MeasureCPU, 3, "3 %"},
		{model.MeasureCPU, 9.96, "10 %"},
		{model.MeasureCPU, 41.4, "41 %"},
		{model.MeasureCPU, 1234.5, "1235 %"},
		{model.MeasureMemory, 0, "0 B"},
		{model.MeasureMemory, 1023, "1023 B"},
		{model.MeasureMemory, 1023.6, "1 KiB"},
		{model.MeasureMemory, 1536, "1.5 KiB"},
		{model.MeasureMemory, 640 << 10, "640 KiB"},
		{model.MeasureMemory, 1<<20 - 1, "1 MiB"},
		{model.MeasureMemory, 1.2 * (1 << 30), "1.2 GiB"},
		{model.MeasureMemory, 1 << 62, "4096 PiB"},
		{model.MeasureRead, 300 << 10, "300 KiB/s"},
		{model.MeasureWrite, 7, "7 B/s"},
	} {
		if got := tt.measure.Format(tt.value); got != tt.want {
			t.Errorf("%s of %v is %q, want %q", tt.measure.Name(), tt.value, got, tt.want)
		}
	}
}

func TestAnAxisCountsInRoundStepsAndDoesNotMakeLittleLookMuch(t *testing.T) {
	for _, tt := range []struct {
		cpu  float64
		want string
	}{
		{0, "20 % 15 % 10 % 5 % 0"},
		{2, "20 % 15 % 10 % 5 % 0"},
		{20, "20 % 15 % 10 % 5 % 0"},
		{21, "30 % 20 % 10 % 0"},
		{41, "50 % 25 % 0"},
		{100, "100 % 75 % 50 % 25 % 0"},
		{101, "150 % 100 % 50 % 0"},
		{281, "300 % 200 % 100 % 0"},
		{1600, "2000 % 1500 % 1000 % 500 % 0"},
		{6400, "7500 % 5000 % 2500 % 0"},
	} {
		if got := strings.Join(cpu(t, used(15*time.Second, 0, tt.cpu)).Labels, " "); got != tt.want {
			t.Errorf("for %v %% the labels are %q, want %q", tt.cpu, got, tt.want)
		}
	}
	for _, tt := range []struct {
		memory services.Amount
		want   string
	}{
		{1, "16 MiB 12 MiB 8 MiB 4 MiB 0"},
		{182 << 20, "192 MiB 128 MiB 64 MiB 0"},
		{190 << 20, "256 MiB 192 MiB 128 MiB 64 MiB 0"},
		{900 << 20, "1024 MiB 768 MiB 512 MiB 256 MiB 0"},
		{3 << 30, "4 GiB 3 GiB 2 GiB 1 GiB 0"},
		{1 << 50, "1536 TiB 1024 TiB 512 TiB 0"},
	} {
		samples := used(15*time.Second, 1, 1)
		samples[0].Memory, samples[0].MemoryMax = tt.memory, tt.memory
		c := model.NewCharts("api", model.RangeHour, samples, nil, noon)
		if got := strings.Join(c.Charts[1].Labels, " "); got != tt.want {
			t.Errorf("for %d bytes the labels are %q, want %q", tt.memory, got, tt.want)
		}
	}
}

// The chart is 1440 wide and 400 high, with room for 2 at both edges: 15
// seconds are 6, and of 20 % one is 19.8.
func TestALineIsDrawnWhereSomethingWasMeasured(t *testing.T) {
	const minute = time.Minute
	for _, tt := range []struct {
		name             string
		samples          []services.Sample
		line, area, dots string
	}{
		{"a line", used(minute, 0, 10, 20), "M1392 398 1416 200 1440 2", "M1392 400L1392 398 1416 200 1440 2V400z", "M1440 2h0"},
		{"one point", used(minute, 10), "", "", "M1440 200h0"},
		{"a point alone", used(minute, 10, 10, 10, -1, 10, -1, 0, 0),
			"M1272 200 1320 200M1416 398 1440 398",
			"M1272 400L1272 200 1320 200V400zM1416 400L1416 398 1440 398V400z",
			"M1368 200h0M1440 398h0"},
		{"a level stretch", used(minute, 20, 10, 10, 10, 10, 0), "M1320 2 1344 200 1416 200 1440 398", "M1320 400L1320 2 1344 200 1416 200 1440 398V400z", "M1440 398h0"},
		{"a late sample is no gap", used(20*time.Second, 0, 0, 0, 0, 0), "M1408 398 1440 398", "M1408 400L1408 398 1440 398V400z", "M1440 398h0"},
	} {
		one := cpu(t, tt.samples).Series[0]
		if one.Line != tt.line || one.Area != tt.area || one.Dots != tt.dots || one.Peak != "" {
			t.Errorf("%s: line %q area %q dots %q peak %q, want %q, %q, %q and none", tt.name, one.Line, one.Area, one.Dots, one.Peak, tt.line, tt.area, tt.dots)
		}
	}
}

func TestAServerThatIsDownLeavesAGap(t *testing.T) {
	for _, tt := range []struct {
		state  services.Vigour
		memory services.Amount
		gap    bool
	}{
		{services.VigourUp, 1, false},
		{services.VigourUp, services.Unknown, false},
		{services.VigourUnhealthy, 1, false},
		{services.VigourBroken, 1, false},
		{services.VigourBroken, 0, true},
		{services.VigourBroken, services.Unknown, true},
		{services.VigourDown, 0, true},
		{services.VigourNone, 0, true},
	} {
		samples := used(time.Minute, 5, 5, 0, 5, 5)
		samples[2].State, samples[2].Memory = tt.state, tt.memory
		if got := strings.Count(cpu(t, samples).Series[0].Line, "M") == 2; got != tt.gap {
			t.Errorf("%v with memory %d: a gap is %v, want %v", tt.state, tt.memory, got, tt.gap)
		}
	}
}

func TestPeaksAreDrawnWhereTheyAreKnown(t *testing.T) {
	samples := used(time.Minute, 10, 10)
	samples[0].CPUMax = 20
	one := cpu(t, samples).Series[0]
	if one.Line != "M1416 200 1440 200" || one.Peak != "M1416 2 1440 200" || one.Highest != "highest 20 %" || one.When != " at 11:59" || one.Value != "10 %" {
		t.Errorf("the series is %+v", one)
	}
}

func TestReadAndWriteShareAScaleAndDiffer(t *testing.T) {
	samples := used(time.Minute, 1, 1)
	for i := range samples {
		samples[i].Read, samples[i].Write = 200<<10, 100<<10
	}
	c := model.NewCharts("api", model.RangeHour, samples, nil, noon)
	disk := c.Charts[2]
	if disk.Labels[0] != "256 KiB" || len(disk.Series) != 2 || disk.Series[0].Area == "" || disk.Series[1].Area != "" {
		t.Errorf("the chart is %+v", disk)
	}
	if want := "Disk over the last hour: read now 200 KiB/s, highest 200 KiB/s at 11:59; write now 100 KiB/s, highest 100 KiB/s at 11:59."; disk.Desc != want {
		t.Errorf("it says %q, want %q", disk.Desc, want)
	}
	if want := []model.Hit{{X: "1416", Width: "24", Text: "11:59, read 200 KiB/s, write 100 KiB/s"}}; !slices.Equal(disk.Hits, want) {
		t.Errorf("pointing says %+v, want %+v", disk.Hits, want)
	}
	samples[0].Read, samples[0].Write, samples[1].Read, samples[1].Write = services.Unknown, services.Unknown, services.Unknown, services.Unknown
	disk = model.NewCharts("api", model.RangeHour, samples, nil, noon).Charts[2]
	if disk.Blank != "not measured" || len(disk.Hits) != 0 || disk.Series[0].Line != "" || disk.Series[0].Value != "–" {
		t.Errorf("without numbers the chart is %+v", disk)
	}
}

func TestAChartSaysInWordsWhatItShows(t *testing.T) {
	crash := model.ChartMark{At: noon.Add(-10 * time.Minute), Kind: model.MarkCrash}
	again := model.ChartMark{At: noon.Add(-9 * time.Minute), Kind: model.MarkCrash}
	start := model.ChartMark{At: noon.Add(-8 * time.Minute), Kind: model.MarkStart}
	long := model.ChartMark{At: noon.Add(-8 * time.Hour), Kind: model.MarkCrash}
	for _, tt := range []struct {
		name    string
		samples []services.Sample
		marks   []model.ChartMark
		want    string
	}{
		{"steady", used(time.Minute, 41, 3), nil, "CPU over the last hour: now 3 %, highest 41 % at 11:59."},
		{"stopped", used(time.Minute, 41, 3, -1, -1, -1), nil, "CPU over the last hour: not measured now, highest 41 % at 11:56."},
		{"crashed", used(time.Minute, 3, 3), []model.ChartMark{long, crash}, "CPU over the last hour: now 3 %, highest 3 % at 11:59. The server crashed once."},
		{"crashed and started", used(time.Minute, 3, 3), []model.ChartMark{crash, again, start}, "CPU over the last hour: now 3 %, highest 3 % at 11:59. The server crashed twice, started once."},
	} {
		if got := cpu(t, tt.samples, tt.marks...).Desc; got != tt.want {
			t.Errorf("%s: it says %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestMarksStandWhereSomethingHappenedAndDoNotCrowd(t *testing.T) {
	at := func(ago time.Duration, kind model.MarkKind, text string) model.ChartMark {
		return model.ChartMark{At: noon.Add(-ago), Kind: kind, Text: text}
	}
	got := cpu(t, used(time.Minute, 1, 1),
		at(2*time.Hour, model.MarkCrash, "too old"),
		at(30*time.Minute, model.MarkCrash, "exited with code 3"),
		at(30*time.Minute, model.MarkStart, ""),
		at(30*time.Minute-20*time.Second, model.MarkCrash, "killed by SIGSEGV"),
		at(15*time.Minute, model.MarkStop, "stopped by an order"),
		at(-time.Minute, model.MarkStart, "too new"),
	).Marks
	want := []model.Mark{
		{Kind: model.MarkStart, X: "50%", Text: "11:30: started"},
		{Kind: model.MarkStop, X: "75%", Text: "11:45: stopped by an order"},
		{Kind: model.MarkCrash, X: "50.3%", Text: "11:30: 2 crashes, the last: killed by SIGSEGV"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("the marks are %+v, want %+v", got, want)
	}
}

func TestMarksComeFromEvents(t *testing.T) {
	var events []services.Event
	for i, kind := range services.EventKinds {
		events = append(events, services.Event{At: services.Time{Time: noon.Add(-time.Duration(i) * time.Second)}, Kind: kind, Message: string(kind)})
	}
	events = append(events, services.Event{At: services.Time{Time: noon.Add(-time.Hour)}, Kind: services.EventExited, Crash: true, Message: "boom"})
	var got []string
	for _, m := range model.MarksOf(events) {
		got = append(got, string(m.Kind)+" "+m.Text)
	}
	if want := "crash boom, stop exited, start started"; strings.Join(got, ", ") != want {
		t.Errorf("the marks are %v, want %s", got, want)
	}
}

func TestThereAreNeverManyPlacesOrRows(t *testing.T) {
	for _, r := range model.Ranges {
		n := 3000
		samples := used(r.Span()/time.Duration(n), slices.Repeat([]float64{1, 50, 0.4}, n/3)...)
		for _, late := range []time.Duration{0, time.Second, 7*time.Hour + 11*time.Minute} {
			for i := range samples {
				samples[i].At.Time = samples[i].At.Add(late)
			}
			c := model.NewCharts("api", r, samples, nil, noon.Add(late))
			if rows := len(c.Table.Rows); rows > 24 || rows < 8 {
				t.Errorf("over %s there are %d rows", r, rows)
			}
			for _, chart := range c.Charts {
				if len(chart.Hits) > 120 || len(chart.Hits) < 60 {
					t.Errorf("over %s %s has %d places to point at", r, chart.Title, len(chart.Hits))
				}
				points := strings.Count(chart.Series[0].Line, " ")
				if points > 600 {
					t.Errorf("over %s %s has %d numbers", r, chart.Title, points)
				}
			}
		}
	}
}

func TestTheTableHasTheNumbersNewestFirst(t *testing.T) {
	samples := used(5*time.Minute, 10, 20, 30)
	samples[2].CPUMax = 35
	samples[1].Read = services.Unknown
	got := model.NewCharts("api", model.RangeHour, samples, nil, noon.Add(time.Minute)).Table
	want := []model.TableRow{
		{When: "12:00", Values: [6]string{"30 %", "35 %", "1 MiB", "1 MiB", "0 B/s", "0 B/s"}},
		{When: "11:55", Values: [6]string{"20 %", "20 %", "1 MiB", "1 MiB", "", "0 B/s"}},
		{When: "11:50", Values: [6]string{"10 %", "10 %", "1 MiB", "1 MiB", "0 B/s", "0 B/s"}},
	}
	if !slices.Equal(got.Rows, want) {
		t.Errorf("the rows are %+v, want %+v", got.Rows, want)
	}
}

func TestNothingToDrawIsSaid(t *testing.T) {
	down := used(time.Minute, 0, 0)
	for i := range down {
		down[i].State, down[i].Memory = services.VigourDown, 0
	}
	old := used(time.Minute, 1)
	for _, tt := range []struct {
		name    string
		samples []services.Sample
		now     time.Time
		want    string
		strip   bool
	}{
		{"no samples", nil, noon, "Nothing measured yet: the first point comes within 15 seconds.", false},
		{"old samples", old, noon.Add(2 * time.Hour), "Nothing measured yet: the first point comes within 15 seconds.", false},
		{"samples from the future", old, noon.Add(-time.Hour), "Nothing measured yet: the first point comes within 15 seconds.", false},
		{"a server that is down", down, noon, "It did not run in the last hour.", true},
	} {
		c := model.NewCharts("api", model.RangeHour, tt.samples, nil, tt.now)
		if c.Empty != tt.want || len(c.Charts) != 0 || (c.Health.Text != "") != tt.strip || len(c.Ranges) != 4 {
			t.Errorf("%s: %q, %d charts, the strip says %q", tt.name, c.Empty, len(c.Charts), c.Health.Text)
		}
	}
}

func TestARangeIsReadFromTheAddress(t *testing.T) {
	for _, tt := range []struct {
		text string
		want model.Range
		span time.Duration
	}{
		{"", model.RangeHour, time.Hour},
		{"1h", model.RangeHour, time.Hour},
		{"24h", model.RangeDay, 24 * time.Hour},
		{"7d", model.RangeWeek, 7 * 24 * time.Hour},
		{"30d", model.RangeMonth, 30 * 24 * time.Hour},
		{"30D", model.RangeHour, time.Hour},
		{"<script>", model.RangeHour, time.Hour},
	} {
		if got := model.RangeOf(tt.text); got != tt.want || got.Span() != tt.span {
			t.Errorf("%q is %s of %v", tt.text, got, got.Span())
		}
	}
	c := model.NewCharts("api", model.RangeDay, used(time.Minute, 1), nil, noon)
	var got []string
	for _, r := range c.Ranges {
		got = append(got, r.Label+" "+r.URL+" "+strconv.FormatBool(r.Current))
	}
	if want := "1 h /servers/api?range=1h false, 24 h /servers/api?range=24h true, 7 d /servers/api?range=7d false, 30 d /servers/api?range=30d false"; strings.Join(got, ", ") != want {
		t.Errorf("the links are %v", got)
	}
}
