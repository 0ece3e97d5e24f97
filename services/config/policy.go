package config

import (
	"math"
	"strings"
	"syscall"

	"tend/services"
)

func (d *decoder) signal(n *node, label string) (syscall.Signal, bool) {
	value, ok := d.plain(n, label, "a signal such as TERM or INT", text, integer)
	if !ok {
		return 0, false
	}
	sig, err := services.ParseSignal(value)
	if err != nil {
		d.add(n.at, label, "wants a signal's name such as TERM or INT, or a number from 1 to 64, not %s", quoteCut(value, `"`))
		return 0, false
	}
	return sig, true
}

func (d *decoder) stop(n *node, label string, into *services.StopPolicy) {
	d.object(n, label, fields{
		"signal": func(n *node) {
			if sig, ok := d.signal(n, label+".signal"); ok {
				into.Signal = sig
			}
		},
		"timeout": func(n *node) { d.duration(n, label+".timeout", 0, &into.Timeout) },
		"to":      func(n *node) { choice(d, n, label+".to", &into.To, services.ToGroup, services.ToMain) },
	})
}

func (d *decoder) backoff(n *node, label string, into *services.Backoff) {
	d.object(n, label, fields{
		"min":   func(n *node) { d.duration(n, label+".min", 0, &into.Min) },
		"max":   func(n *node) { d.duration(n, label+".max", 0, &into.Max) },
		"reset": func(n *node) { d.duration(n, label+".reset", 0, &into.Reset) },
		"give_up": func(n *node) {
			if n.kind == text && n.text == "never" {
				into.GiveUp = 0
				return
			}
			if n.kind == text && !strings.Contains(n.text, "${") || n.kind == integer && n.text == "0" {
				d.add(n.at, label+".give_up", "wants never, or after how many restarts in a row to give up, not %s", quoteCut(n.text, ""))
				return
			}
			if times, ok := d.number(n, label+".give_up", 1, math.MaxInt32); ok {
				into.GiveUp = int(times)
			}
		},
	})
}

// success replaces the list: it says all exits that count as clean.
func (d *decoder) success(n *node, label string, into *services.Success) {
	if n.kind != list {
		d.wants(n, label, "a list of exit codes and signals such as [0, 3, TERM]")
		return
	}
	if !d.spend(n.at, len(n.items)) {
		return
	}
	var out services.Success
	for _, item := range n.items {
		switch item.kind {
		case integer:
			if code, ok := d.number(item, label, 0, 255); ok {
				out.Codes = append(out.Codes, int(code))
			}
		default:
			if sig, ok := d.signal(item, label); ok {
				out.Signals = append(out.Signals, sig)
			}
		}
	}
	*into = out
}

func (d *decoder) limits(n *node, label string, into *services.Limits) {
	d.object(n, label, fields{
		"memory": func(n *node) { d.size(n, label+".memory", 1_000_000, &into.Memory) },
		"cpu":    func(n *node) { d.percent(n, label+".cpu", &into.CPU) },
		"pids": func(n *node) {
			if pids, ok := d.number(n, label+".pids", 1, 4<<20); ok {
				into.PIDs = int(pids)
			}
		},
		"nofile": func(n *node) {
			if files, ok := d.number(n, label+".nofile", 16, math.MaxInt32); ok {
				into.NoFile = uint64(files)
			}
		},
		"nice": func(n *node) {
			if nice, ok := d.number(n, label+".nice", -20, 19); ok {
				into.Nice = int(nice)
			}
		},
	})
}
