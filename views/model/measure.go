package model

import (
	"math"
	"strconv"

	"tend/services"
)

// Measure is one of the things that are measured of a server.
type Measure uint8

// The measures.
const (
	MeasureCPU    Measure = iota // percent of a core
	MeasureMemory                // bytes
	MeasureRead                  // bytes a second
	MeasureWrite                 // bytes a second
	measures      = int(MeasureWrite) + 1
)

// Name is how the measure is called on the screen.
func (m Measure) Name() string {
	return [...]string{"CPU", "Memory", "Read", "Write"}[m]
}

// of returns what a sample says, and false where it was not measured.
func (m Measure) of(s *services.Sample) (mean, peak float64, known bool) {
	switch m {
	case MeasureCPU:
		mean, peak = s.CPU, s.CPUMax
	case MeasureMemory:
		mean, peak = float64(s.Memory), float64(s.MemoryMax)
	case MeasureRead:
		mean = float64(s.Read)
	case MeasureWrite:
		mean = float64(s.Write)
	}
	peak = max(mean, peak)
	return mean, peak, ran(s) && mean >= 0 && !math.IsNaN(peak) && !math.IsInf(peak, 0)
}

// ran reports whether there was something to measure. A sample of a server
// that is down says 0 for everything, which is not a measurement.
func ran(s *services.Sample) bool {
	switch s.State {
	case services.VigourNone, services.VigourDown:
		return false
	case services.VigourBroken:
		return s.Memory > 0 // the worst of a span in which it also ran
	}
	return true
}

// Format writes a value with its unit.
func (m Measure) Format(v float64) string {
	switch m {
	case MeasureCPU:
		return Percent(v)
	case MeasureMemory:
		return Bytes(v)
	}
	return Bytes(v) + "/s"
}

// Percent writes a share of one core or of a whole: "0.4 %", "41 %".
func Percent(v float64) string { return short(v) + " %" }

var byteUnits = [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}

// Bytes writes an amount of memory or storage: "640 KiB", "1.2 GiB".
func Bytes(v float64) string {
	unit := 0
	for math.Round(v) >= 1024 && unit < len(byteUnits)-1 {
		v, unit = v/1024, unit+1
	}
	if unit == 0 {
		v = math.Round(v)
	}
	return short(v) + " " + byteUnits[unit]
}

// short writes a number with one decimal where it is below ten.
func short(v float64) string {
	if tenths := math.Round(v * 10); tenths < 100 {
		return strconv.FormatFloat(tenths/10, 'f', -1, 64)
	}
	return strconv.FormatFloat(math.Round(v), 'f', -1, 64)
}
