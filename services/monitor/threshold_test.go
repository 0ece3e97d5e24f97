package monitor

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tend/services"
)

// judging feeds samples, written as "seconds run value", and returns what was
// told, as "seconds crossed" and "seconds over". A value of ? is unknown.
func judging(rule services.Threshold, samples string) (out []string) {
	var t Thresholds
	epoch := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	for line := range strings.SplitSeq(samples, ",") {
		var seconds int
		var run, value string
		fmt.Sscan(line, &seconds, &run, &value)
		s := services.Sample{At: services.Time{Time: epoch.Add(time.Duration(seconds) * time.Second)}, Memory: services.Unknown, Processes: services.Unknown}
		if value != "?" {
			fmt.Sscan(value, &s.Memory)
			s.CPU = float64(s.Memory)
		}
		for _, c := range t.Judge([]services.Threshold{rule}, run, s) {
			word := "crossed"
			if c.Over {
				word = "over"
			}
			out = append(out, fmt.Sprintf("%d %s since %d", seconds, word, int(c.Since.Sub(epoch).Seconds())))
		}
	}
	return out
}

func TestAThresholdIsCrossedAndOverOnceEach(t *testing.T) {
	memory := services.Threshold{Memory: 100, For: 30 * time.Second}
	for _, tt := range []struct {
		what, samples string
		want          []string
	}{
		{"never above", "0 r 100, 15 r 100, 30 r 99, 45 r 100", nil},
		{"above for the whole time", "0 r 101, 15 r 150, 30 r 150, 45 r 150, 60 r 150", []string{"30 crossed since 0"}},
		{"not for the whole time", "0 r 101, 15 r 150, 29 r 150, 30 r 100, 45 r 101, 60 r 101", nil},
		{"over when it was below for as long", "0 r 101, 30 r 101, 40 r 100, 69 r 50, 70 r 50, 90 r 50", []string{"30 crossed since 0", "70 over since 40"}},
		{"up and down in between is no news", "0 r 101, 30 r 101, 40 r 50, 60 r 101, 80 r 50, 100 r 101, 140 r 101", []string{"30 crossed since 0"}},
		{"again after it was over", "0 r 101, 30 r 101, 40 r 1, 70 r 1, 80 r 101, 110 r 101", []string{"30 crossed since 0", "70 over since 40", "110 crossed since 80"}},
		{"what is unknown is passed over", "0 r 101, 15 r ?, 30 r ?, 40 r 101", []string{"40 crossed since 0"}},
		{"only unknown", "0 r ?, 15 r ?, 30 r ?, 45 r ?", nil},
		{"a gap begins anew", "0 r 101, 15 r 101, 100 r 101, 115 r 101, 130 r 101", []string{"130 crossed since 100"}},
		{"a clock that was set back begins anew", "20 r 101, 35 r 101, 0 r 101, 29 r 101, 30 r 101", []string{"30 crossed since 0"}},
		{"a new run begins anew", "0 a 101, 20 a 101, 30 b 101, 50 b 101, 60 b 101", []string{"60 crossed since 30"}},
		{"a new run that is unknown at first", "0 a 101, 20 a 101, 30 b ?, 40 b 101, 60 b 101, 70 b 101", []string{"70 crossed since 40"}},
		{"each run that crosses it is told", "0 a 101, 30 a 101, 40 b 101, 70 b 101, 90 b 101", []string{"30 crossed since 0", "70 crossed since 40"}},
		{"a new run that is well ends it", "0 a 101, 30 a 101, 40 b 50, 60 b 50, 70 b 50", []string{"30 crossed since 0", "70 over since 40"}},
		{"a crossing that a new run does not repeat is over once", "0 a 101, 30 a 101, 40 b 101, 50 b 1, 80 b 1, 99 b 1", []string{"30 crossed since 0", "80 over since 50"}},
	} {
		if got := judging(memory, tt.samples); !slices.Equal(got, tt.want) {
			t.Errorf("memory, %s: %q, want %q", tt.what, got, tt.want)
		}
		cpu := services.Threshold{CPU: 100, For: 30 * time.Second}
		if got := judging(cpu, tt.samples); !slices.Equal(got, tt.want) {
			t.Errorf("processor, %s: %q, want %q", tt.what, got, tt.want)
		}
	}
	want := []string{"0 crossed since 0", "5 over since 5", "10 crossed since 10"}
	if got := judging(services.Threshold{Memory: 100}, "0 r 101, 1 r 101, 5 r 1, 6 r 1, 10 r 101"); !slices.Equal(got, want) {
		t.Errorf("without a time: %q, want %q", got, want)
	}
}

func TestEachThresholdIsJudgedByItself(t *testing.T) {
	alert := services.Threshold{CPU: 50, Action: services.ThresholdAlert}
	restart := services.Threshold{Memory: 1000, Action: services.ThresholdRestart}
	at := services.Time{Time: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	var j Thresholds
	got := j.Judge([]services.Threshold{alert, restart, alert}, "r", services.Sample{At: at, CPU: 60, Memory: 2000})
	want := []Crossing{{Threshold: alert, Since: at.Time, Value: 60}, {Threshold: restart, Since: at.Time, Value: 2000}}
	if !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := j.Judge(nil, "r", services.Sample{At: at, CPU: 60}); len(got) != 0 || len(j.of) != 0 {
		t.Errorf("without a rule: %+v, and it remembers %d", got, len(j.of))
	}
	if got := j.Judge([]services.Threshold{restart}, "r", services.Sample{At: at, Memory: 2000}); len(got) != 1 {
		t.Errorf("a rule that comes back begins anew: %+v", got)
	}
}

func TestACrossingIsSaidInWords(t *testing.T) {
	for want, c := range map[string]Crossing{
		"memory is above 400 MB for 30s: 412.3 MB":                       {Threshold: services.Threshold{Memory: 400e6, For: 30 * time.Second}, Value: 412.3e6},
		"memory is no longer above 400 MB for 30s: 12 MB":                {Threshold: services.Threshold{Memory: 400e6, For: 30 * time.Second}, Over: true, Value: 12e6},
		"memory is above 1.5 MB for 0s: 123456.8 MB":                     {Threshold: services.Threshold{Memory: 1.5e6}, Value: 123456.78e6},
		"processor time is above 90% of a core for 5m0s: 97%":            {Threshold: services.Threshold{CPU: 90, For: 5 * time.Minute}, Value: 97.2},
		"processor time is no longer above 12.5% of a core for 5m0s: 3%": {Threshold: services.Threshold{CPU: 12.5, For: 5 * time.Minute}, Over: true, Value: 3},
	} {
		if got := c.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
