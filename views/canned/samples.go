package canned

import (
	"math"
	"time"

	"tend/services"
)

// Shapes names every course that canned samples can take.
var Shapes = []string{"steady", "spiky", "leak", "gaps", "crashes", "month", "one", "nothing", "down"}

// course is what a server with a shape does some time before now. It returns
// false where nobody looked.
type course func(ago, span time.Duration, noise float64) (services.Sample, bool)

var courses = map[string]course{
	"steady": func(_, _ time.Duration, noise float64) (services.Sample, bool) {
		return sample(3+noise, 4+3*noise, 182, 4*noise), true
	},
	"spiky": func(ago, span time.Duration, noise float64) (services.Sample, bool) {
		wave := math.Max(0, math.Sin(40*float64(ago)/float64(span)))
		s := sample(12+180*math.Pow(wave, 9)+10*noise, 20+230*math.Pow(wave, 6)+40*noise, 900+300*wave, 3000*math.Pow(wave, 12)+80*noise)
		return s, true
	},
	"leak": func(ago, span time.Duration, noise float64) (services.Sample, bool) {
		grown := math.Mod(1-float64(ago)/float64(span), 0.62) / 0.62
		return sample(6+4*noise, 12+8*noise, 120+900*grown, 30*noise), true
	},
	"gaps": func(ago, span time.Duration, noise float64) (services.Sample, bool) {
		switch place := float64(ago) / float64(span); {
		case place > 0.8, place > 0.42 && place < 0.55, place > 0.2 && place < 0.22:
			return services.Sample{}, false
		case place > 0.3 && place < 0.42:
			return services.Sample{State: services.VigourDown}, true
		}
		s := sample(35+20*noise, 60+30*noise, 420+30*noise, 500*noise)
		s.Read, s.Write = services.Unknown, services.Unknown
		return s, true
	},
	"crashes": func(ago, span time.Duration, noise float64) (services.Sample, bool) {
		place := float64(ago) / float64(span)
		s := sample(20+30*noise, 50+50*noise, 200+2000*math.Mod(place*17, 0.4), 200*noise)
		switch {
		case math.Mod(place*9, 1) < 0.06:
			return services.Sample{State: services.VigourBroken}, true
		case math.Mod(place*9, 1) < 0.22:
			s.State = services.VigourUnhealthy
		}
		return s, true
	},
	"month": func(ago, _ time.Duration, noise float64) (services.Sample, bool) {
		daily := math.Max(0, math.Cos(2*math.Pi*float64(ago)/float64(24*time.Hour)))
		return sample(4+60*daily+6*noise, 30+110*daily+60*noise, 600+40*daily+120*math.Mod(float64(ago)/float64(9*24*time.Hour), 1), 4000*daily*noise), true
	},
	"one": func(ago, span time.Duration, _ float64) (services.Sample, bool) {
		return sample(4, 4, 64, 0), ago < span/200
	},
	"nothing": func(_, _ time.Duration, _ float64) (services.Sample, bool) { return services.Sample{}, false },
	"down": func(_, _ time.Duration, _ float64) (services.Sample, bool) {
		return services.Sample{State: services.VigourDown}, true
	},
}

// sample takes percent, mebibytes, and kibibytes a second.
func sample(cpu, peak, memory, disk float64) services.Sample {
	return services.Sample{
		State: services.VigourUp, CPU: cpu, CPUMax: peak,
		Memory: services.Amount(memory * (1 << 20)), MemoryMax: services.Amount(memory * 1.04 * (1 << 20)),
		Read: services.Amount(disk * (1 << 10)), Write: services.Amount(disk * 0.4 * (1 << 10)),
		Processes: 3, Threads: 14, Files: 60,
	}
}

// Samples returns some samples of a shape, evenly over the span that ends now.
func Samples(shape string, now time.Time, span time.Duration, n int) []services.Sample {
	var out []services.Sample
	step := span / time.Duration(n)
	for i := range n {
		ago := span - time.Duration(i+1)*step
		noise := math.Mod(math.Abs(math.Sin(float64(i)*12.9898)*43758.5453), 1) // the same each time
		if s, seen := courses[shape](ago, span, noise); seen {
			s.At = at(now, ago)
			out = append(out, s)
		}
	}
	return out
}

// Turns returns what happened to a server whose samples have a shape.
func Turns(shape string, now time.Time, span time.Duration) []services.Event {
	var out []services.Event
	note := func(place float64, kind services.EventKind, crash bool, text string) {
		out = append(out, services.Event{At: at(now, time.Duration(place*float64(span))), Kind: kind, Crash: crash, Message: text})
	}
	switch shape {
	case "leak":
		note(0.385, services.EventExited, false, "stopped by an order")
		note(0.375, services.EventStarted, false, "started, pid 20611")
	case "gaps":
		note(0.42, services.EventExited, false, "stopped by an order")
		note(0.3, services.EventStarted, false, "started, pid 20611")
	case "crashes":
		for i := 8; i >= 0; i-- {
			end := float64(i)/9 + 0.06/9
			note(end, services.EventExited, true, "exited with code 3 after 2 h")
			note(end-0.002, services.EventStarted, false, "started, pid 20611")
			note(end-0.004, services.EventExited, true, "exited with code 3 after 2.1 s")
			note(float64(i)/9, services.EventStarted, false, "started, pid 20702")
		}
	}
	return out
}
