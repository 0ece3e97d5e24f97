package history

import (
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"tend/services"
)

func TestAChunkComesBackAsItWas(t *testing.T) {
	begin := epoch.Unix()
	r := rand.New(rand.NewPCG(1, 2))
	unknown := services.Sample{At: at(epoch), State: services.VigourDown, Memory: -1, MemoryMax: -1, Read: -1, Write: -1, Processes: -1, Threads: -1, Files: -1}
	for name, samples := range map[string][]services.Sample{
		"nothing":        {},
		"one":            {busyAt(r, begin)},
		"nothing known":  {unknown},
		"nothing at all": {{At: at(epoch)}},
		"a gap":          {busyAt(r, begin+15), busyAt(r, begin+60), unknownAt(unknown, begin+75), busyAt(r, begin+900)},
		"huge": {{At: at(epoch), State: services.VigourBroken, CPU: 12345678.25, CPUMax: 99999999.5, Memory: 1 << 60, MemoryMax: 1 << 62, Read: 1 << 62, Write: 0, Processes: -1, Threads: 1 << 40, Files: 5},
			unknownAt(unknown, begin+15)},
		"full": func() (out []services.Sample) {
			for i := range int64(240) {
				out = append(out, busyAt(r, begin+15*i))
			}
			return out
		}(),
	} {
		data := pack(samples, begin, 15)
		got, err := unpack(data, begin, 15, nil)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(got) != len(samples) {
			t.Errorf("%s: %d samples, want %d", name, len(got), len(samples))
			continue
		}
		for i := range got {
			if !same(got[i], samples[i]) {
				t.Errorf("%s: sample %d\n got %+v\nwant %+v", name, i, got[i], samples[i])
			}
		}
	}
}

// busyAt is a sample whose numbers are as precise as those in a chunk.
func busyAt(r *rand.Rand, second int64) services.Sample {
	s := busy(r, time.Unix(second, 0))
	s.CPU = float64(hundredths(s.CPU)) / 100
	s.CPUMax = s.CPU + 1.5
	s.CPUMax = float64(hundredths(s.CPUMax)) / 100
	s.MemoryMax += services.Amount(r.IntN(1000))
	return s
}

func unknownAt(s services.Sample, second int64) services.Sample {
	s.At = at(time.Unix(second, 0))
	return s
}

func same(a, b services.Sample) bool {
	if !a.At.Equal(b.At.Time) {
		return false
	}
	a.At, b.At = services.Time{}, services.Time{}
	return reflect.DeepEqual(a, b)
}

func TestAServerThatDoesNothingTakesLittle(t *testing.T) {
	var samples []services.Sample
	for i := range int64(240) {
		samples = append(samples, services.Sample{At: at(time.Unix(epoch.Unix()+15*i, 0)), State: services.VigourUp, Memory: 12345678, MemoryMax: 12345678, Processes: 1, Threads: 5, Files: 9})
	}
	if n := len(pack(samples, epoch.Unix(), 15)); n > 50 {
		t.Errorf("an hour takes %d bytes", n)
	}
}

func FuzzUnpackSurvivesEverything(f *testing.F) {
	r := rand.New(rand.NewPCG(1, 2))
	f.Add([]byte{})
	f.Add([]byte{chunkVersion, 0})
	f.Add([]byte{2, 1})
	f.Add([]byte{chunkVersion, 255, 255, 255, 255, 255, 1})
	f.Add(pack([]services.Sample{busyAt(r, epoch.Unix()), busyAt(r, epoch.Unix()+60)}, epoch.Unix(), 15))
	f.Fuzz(func(t *testing.T, data []byte) {
		before := []services.Sample{{Files: 7}}
		got, err := unpack(data, epoch.Unix(), 15, before)
		if len(got) < 1 || got[0].Files != 7 {
			t.Fatal("what was there is gone")
		}
		if err != nil && len(got) != 1 {
			t.Fatalf("%d samples and %v", len(got), err)
		}
	})
}
