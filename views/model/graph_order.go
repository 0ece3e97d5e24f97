package model

import (
	"cmp"
	"slices"
)

const (
	sweeps = 24
	tiring = 6 // sweeps without fewer crossings
)

// order moves the vertices within their columns so that few lines cross:
// forwards and backwards, each goes to the mean of its neighbours. The best
// order of all is kept, the first of several.
func (l *layers) order() {
	best, least, idle := l.snapshot(), l.crossings(), 0
	for i := 0; i < sweeps && least > 0 && idle < tiring; i++ {
		for c := range l.columns {
			if i%2 == 1 {
				c = len(l.columns) - 1 - c
			}
			l.sort(c, i%2 == 0)
		}
		idle++
		if n := l.crossings(); n < least {
			best, least, idle = l.snapshot(), n, 0
		}
	}
	for c, column := range best {
		l.set(c, column)
	}
}

func (l *layers) snapshot() [][]int {
	out := make([][]int, len(l.columns))
	for c, column := range l.columns {
		out[c] = slices.Clone(column)
	}
	return out
}

func (l *layers) set(c int, column []int) {
	l.columns[c] = column
	for place, i := range column {
		l.all[i].place = place
	}
}

// sort orders one column by its neighbours on one side.
func (l *layers) sort(c int, byUps bool) {
	mean := make(map[int]float64, len(l.columns[c]))
	for _, i := range l.columns[c] {
		v := &l.all[i]
		near := v.downs
		if byUps {
			near = v.ups
		}
		mean[i] = float64(v.place)
		if len(near) > 0 {
			sum := 0
			for _, n := range near {
				sum += l.all[n].place
			}
			mean[i] = float64(sum) / float64(len(near))
		}
	}
	slices.SortStableFunc(l.columns[c], func(a, b int) int { return cmp.Compare(mean[a], mean[b]) })
	l.set(c, l.columns[c])
}

// crossings counts how often lines cross: for each line, those before it that
// end behind it, by a tree of sums.
func (l *layers) crossings() int {
	total := 0
	for c := 1; c < len(l.columns); c++ {
		ends := make([]int, 0, 2*len(l.columns[c]))
		for _, i := range l.columns[c-1] {
			first := len(ends)
			for _, down := range l.all[i].downs {
				ends = append(ends, l.all[down].place)
			}
			slices.Sort(ends[first:])
		}
		sums := make([]int, len(l.columns[c])+1)
		for seen, end := range ends {
			before := 0
			for k := end + 1; k > 0; k -= k & -k {
				before += sums[k]
			}
			total += seen - before
			for k := end + 1; k < len(sums); k += k & -k {
				sums[k]++
			}
		}
	}
	return total
}
