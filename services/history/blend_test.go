package history

import (
	"math"
	"testing"
	"time"

	"tend/services"
)

const unknown = services.Unknown

func TestABlendHasMeansAndMaximaOfWhatIsKnown(t *testing.T) {
	for name, tt := range map[string]struct {
		in   []services.Sample
		want services.Sample
	}{
		"one instant": {
			[]services.Sample{{State: services.VigourUp, CPU: 10, Memory: 100, MemoryMax: 100, Read: 5, Write: 6, Processes: 1, Threads: 2, Files: 3}},
			services.Sample{State: services.VigourUp, CPU: 10, CPUMax: 10, Memory: 100, MemoryMax: 100, Read: 5, Write: 6, Processes: 1, Threads: 2, Files: 3},
		},
		"means and maxima": {
			[]services.Sample{
				{State: services.VigourUp, CPU: 10, CPUMax: 30, Memory: 100, MemoryMax: 150, Read: 10, Write: 0, Processes: 4, Threads: 9, Files: 3},
				{State: services.VigourUp, CPU: 20, CPUMax: 25, Memory: 301, MemoryMax: 301, Read: 20, Write: 3, Processes: 2, Threads: 8, Files: 7},
			},
			services.Sample{State: services.VigourUp, CPU: 15, CPUMax: 30, Memory: 201, MemoryMax: 301, Read: 15, Write: 2, Processes: 4, Threads: 9, Files: 7},
		},
		"the worst state": {
			[]services.Sample{{State: services.VigourDown}, {State: services.VigourUnhealthy}, {State: services.VigourUp}, {State: services.VigourNone}},
			services.Sample{State: services.VigourUnhealthy},
		},
		"broken is worse than unhealthy": {
			[]services.Sample{{State: services.VigourBroken}, {State: services.VigourUnhealthy}},
			services.Sample{State: services.VigourBroken},
		},
		"the unknown does not count": {
			[]services.Sample{
				{CPU: 4, Memory: unknown, MemoryMax: unknown, Read: unknown, Write: 8, Processes: unknown, Threads: 1, Files: unknown},
				{CPU: 8, Memory: 50, MemoryMax: 60, Read: unknown, Write: unknown, Processes: 3, Threads: unknown, Files: unknown},
				{CPU: 0, Memory: 0, MemoryMax: 0, Read: unknown, Write: 0, Processes: unknown, Threads: unknown, Files: unknown},
			},
			services.Sample{CPU: 4, CPUMax: 8, Memory: 25, MemoryMax: 60, Read: unknown, Write: 4, Processes: 3, Threads: 1, Files: unknown},
		},
		"a maximum is never below what it is of": {
			[]services.Sample{{CPU: 7, CPUMax: 0, Memory: 70, MemoryMax: unknown}},
			services.Sample{CPU: 7, CPUMax: 7, Memory: 70, MemoryMax: 70},
		},
	} {
		var b blend
		for _, s := range tt.in {
			b.add(s)
		}
		tt.want.At = at(time.Unix(900, 0))
		if got := b.sample(900); got != tt.want {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, tt.want)
		}
	}
}

func TestWhatCannotBeIsMadeSane(t *testing.T) {
	got := sane(services.Sample{CPU: math.NaN(), CPUMax: math.Inf(1), Memory: -7, MemoryMax: -1, Read: 3, Files: math.MinInt64})
	want := services.Sample{CPUMax: 1e9, Memory: unknown, MemoryMax: unknown, Read: 3, Files: unknown}
	if got != want {
		t.Errorf(" got %+v\nwant %+v", got, want)
	}
}

func TestSamplesAreBlendedStepByStep(t *testing.T) {
	second := func(n int64, cpu float64) services.Sample {
		return services.Sample{At: at(time.Unix(n, 0)), CPU: cpu, CPUMax: cpu}
	}
	got := blended([]services.Sample{second(0, 1), second(59, 3), second(60, 5), second(300, 7), second(315, 9)}, 60)
	want := []services.Sample{
		{At: at(time.Unix(0, 0)), CPU: 2, CPUMax: 3},
		{At: at(time.Unix(60, 0)), CPU: 5, CPUMax: 5},
		{At: at(time.Unix(300, 0)), CPU: 8, CPUMax: 9},
	}
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%d:\n got %+v\nwant %+v", i, got[i], want[i])
		}
	}
	if got := blended(nil, 60); got != nil {
		t.Errorf("nothing became %+v", got)
	}
}
