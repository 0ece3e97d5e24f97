package model

import (
	"cmp"
	"slices"
)

const (
	sweeps = 24
	tiring = 6 // sweeps without fewer crossings
)

// order moves the vertices within their columns so that few lines cross. It
// tries twice, because where it begins decides where it ends: with everything
// below what it needs, and in the order of the configuration. The best order of
// all is kept, the first of several.
func (l *layers) order() {
	configured := l.snapshot()
	for c := range l.columns {
		l.sort(c, true)
	}
	best, least := l.sweep()
	if least > 0 {
		l.restore(configured)
		if other, n := l.sweep(); n < least {
			best = other
		}
	}
	l.restore(best)
}

// sweep goes over the columns, forwards and backwards: each vertex goes to the
// mean of its neighbours, and last of all changes places with the next one
// where that helps.
func (l *layers) sweep() (best [][]int, least int) {
	best, least = l.snapshot(), l.crossings()
	keep := func() bool {
		n := l.crossings()
		better := n < least
		if better {
			best, least = l.snapshot(), n
		}
		return better
	}
	for i, idle := 1, 0; i <= sweeps && least > 0 && idle < tiring; i++ {
		for c := range l.columns {
			if i%2 == 1 {
				c = len(l.columns) - 1 - c
			}
			l.sort(c, i%2 == 0)
		}
		idle++
		if keep() {
			idle = 0
		}
	}
	l.restore(best)
	for i := 0; i < tiring && least > 0 && l.exchange(); i++ {
		keep()
	}
	return best, least
}

// exchange swaps neighbours in a column whose lines cross less that way. It
// reports whether there were any.
func (l *layers) exchange() bool {
	swapped := false
	for _, column := range l.columns {
		for k := 1; k < len(column); k++ {
			a, b := &l.all[column[k-1]], &l.all[column[k]]
			if l.between(a, b) > l.between(b, a) {
				a.place, b.place = b.place, a.place
				column[k-1], column[k] = column[k], column[k-1]
				swapped = true
			}
		}
	}
	return swapped
}

// between counts how often lines of two vertices cross, with a above b.
func (l *layers) between(a, b *vertex) int {
	n := 0
	count := func(above, below []int) {
		for _, x := range above {
			for _, y := range below {
				if l.all[x].place > l.all[y].place {
					n++
				}
			}
		}
	}
	count(a.ups, b.ups)
	count(a.downs, b.downs)
	return n
}

func (l *layers) restore(columns [][]int) {
	for c, column := range columns {
		l.set(c, slices.Clone(column))
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
	column := l.columns[c]
	slices.SortStableFunc(column, func(a, b int) int { return cmp.Compare(mean[a], mean[b]) })
	for first, end := 0, 0; first < len(column); first = end {
		for end = first; end < len(column) && mean[column[end]] == mean[column[first]]; end++ {
		}
		l.center(column[first:end], byUps)
	}
	l.set(c, column)
}

// center moves those that lead on to the middle of others that could as well
// stand there: otherwise every column would stand lower than the one before.
func (l *layers) center(equals []int, downwards bool) {
	var on, rest []int
	for _, i := range equals {
		far := l.all[i].ups
		if downwards {
			far = l.all[i].downs
		}
		if len(far) > 0 {
			on = append(on, i)
		} else {
			rest = append(rest, i)
		}
	}
	half := (len(rest) + 1) / 2
	copy(equals, slices.Concat(rest[:half], on, rest[half:]))
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
