package model

// How far apart vertices stand, in pixels.
const (
	nodeGap = 18 // between nodes
	bendGap = 12 // between a bend and what is next to it
	rounds  = 16
)

// place gives every vertex its height above the others: as near to its
// neighbours as the order and the gaps allow. The topmost edge is at 0; the
// result is how high all is.
func (l *layers) place() float64 {
	for _, column := range l.columns {
		y := 0.0
		for k, i := range column {
			if k > 0 {
				y += l.apart(column[k-1], i)
			}
			l.all[i].y = y
		}
	}
	for round := range rounds {
		for c := range l.columns {
			if round%2 == 1 {
				c = len(l.columns) - 1 - c
			}
			l.settle(c, round%2 == 0, round >= rounds-2)
		}
	}
	return l.toTop()
}

// apart is how far the middles of two vertices next to each other are apart at
// the least.
func (l *layers) apart(a, b int) float64 {
	gap := float64(nodeGap)
	if l.all[a].node < 0 || l.all[b].node < 0 {
		gap = bendGap
	}
	return (l.all[a].height+l.all[b].height)/2 + gap
}

// block is neighbours in a column that touch each other and move as one.
type block struct {
	sum, weight float64 // of the wishes
	size        int
}

func (b block) at() float64 { return b.sum / b.weight }

// settle moves the vertices of a column to where the squares of the distances
// to what they wish are the least, in the same order and not closer than
// apart: whoever would overlap is joined to a block, which takes the mean.
func (l *layers) settle(c int, ups, both bool) {
	column := l.columns[c]
	offsets := make([]float64, len(column)) // where each would be if all touched
	blocks := make([]block, 0, len(column))
	for k, i := range column {
		if k > 0 {
			offsets[k] = offsets[k-1] + l.apart(column[k-1], i)
		}
		wish, weight := l.wish(i, ups, both)
		last := block{sum: (wish - offsets[k]) * weight, weight: weight, size: 1}
		for len(blocks) > 0 && blocks[len(blocks)-1].at() >= last.at() {
			b := blocks[len(blocks)-1]
			last = block{b.sum + last.sum, b.weight + last.weight, b.size + last.size}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, last)
	}
	k := 0
	for _, b := range blocks {
		for range b.size {
			l.all[column[k]].y = b.at() + offsets[k]
			k++
		}
	}
}

// wish is where a vertex would like to be, and how much: the straight middle
// of a long edge more than anything else.
func (l *layers) wish(i int, ups, both bool) (at, weight float64) {
	v := &l.all[i]
	for side, near := range [...][]int{v.ups, v.downs} {
		if !both && (side == 0) != ups {
			continue
		}
		for _, n := range near {
			pull := 1.0
			switch alike := (v.node < 0) == (l.all[n].node < 0); {
			case alike && v.node < 0:
				pull = 8
			case alike:
				pull = 3
			}
			at, weight = at+pull*l.all[n].y, weight+pull
		}
	}
	if weight == 0 {
		return v.y, 0.1
	}
	return at / weight, weight
}

// toTop moves everything to 0, on whole pixels.
func (l *layers) toTop() float64 {
	if len(l.all) == 0 {
		return 0
	}
	top, bottom := l.all[0].y-l.all[0].height/2, l.all[0].y+l.all[0].height/2
	for i := range l.all {
		top, bottom = min(top, l.all[i].y-l.all[i].height/2), max(bottom, l.all[i].y+l.all[i].height/2)
	}
	for i := range l.all {
		l.all[i].y = float64(int(l.all[i].y - top + 0.5))
	}
	return float64(int(bottom - top + 1))
}
