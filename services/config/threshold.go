package config

import (
	"math"
	"strconv"
	"strings"
	"time"

	"tend/services"
)

// defaultFor is how long a server uses too much before a threshold is crossed
// that does not say for how long.
const defaultFor = 30 * time.Second

// thresholds replaces the list.
func (d *decoder) thresholds(n *node, label string, into *[]services.Threshold) {
	const example = "a list such as [{memory: 400MB, for: 30s, action: restart}]"
	if n.kind != list {
		d.wants(n, label, example)
		return
	}
	if !d.spend(n.at, len(n.items)) {
		return
	}
	var out []services.Threshold
	for _, item := range n.items {
		t, ok := d.threshold(item, label)
		if ok {
			out = append(out, t)
		}
	}
	*into = out
}

func (d *decoder) threshold(n *node, label string) (t services.Threshold, ok bool) {
	t = services.Threshold{For: defaultFor, Action: services.ThresholdAlert}
	d.object(n, label, fields{
		"memory": func(n *node) { d.size(n, label+".memory", 100_000, &t.Memory) },
		"cpu":    func(n *node) { d.percent(n, label+".cpu", &t.CPU) },
		"for":    func(n *node) { d.duration(n, label+".for", 0, &t.For) },
		"action": func(n *node) {
			choice(d, n, label+".action", &t.Action, services.ThresholdAlert, services.ThresholdRestart)
		},
	})
	if n.kind != object {
		return t, false
	}
	memory, cpu := hasKey(n, "memory"), hasKey(n, "cpu")
	switch {
	case memory && cpu:
		d.add(n.at, label, "has memory and cpu in one: write two of them, each with its own time and action")
	case !memory && !cpu:
		d.add(n.at, label, "says neither memory nor cpu: write one of them, such as {memory: 400MB} or {cpu: 90%%}")
	}
	return t, memory != cpu
}

// percent reads a share of a core.
func (d *decoder) percent(n *node, label string, into *float64) {
	const most = 100_000
	value, ok := d.plain(n, label, "a share of a core such as 90% (200% are two cores)", text, integer, float)
	if !ok {
		return
	}
	number, found := strings.CutSuffix(value, "%")
	share, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	switch {
	case err != nil || math.IsNaN(share):
		d.add(n.at, label, "wants a share of a core such as 90%% (200%% are two cores), not %s", quoteCut(value, `"`))
	case !found:
		d.add(n.at, label, "wants a percent sign: write %s%% for that share of a core (100%% is a whole one)", quoteCut(value, ""))
	case share <= 0 || share > most:
		d.add(n.at, label, "has to be above 0%% and at most %d%%, not %s", most, quoteCut(value, ""))
	default:
		*into = share
	}
}
