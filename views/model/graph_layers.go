package model

import (
	"cmp"
	"math"
	"slices"
)

// edge leads from a dependency to who depends on it. Both are indices of
// nodes.
type edge struct {
	from, to int
	label    string
}

// vertex is what stands in a column: a node, or a bend of a long edge.
type vertex struct {
	node   int // -1 for a bend
	column int
	place  int   // in the column, from the top
	ups    []int // neighbours in the column before
	downs  []int // neighbours in the column after
	height float64
	y      float64 // of the middle
}

// layers are vertices in columns, such that every edge leads from one column
// to the next. All edges of a node share one chain of bends: it splits as late
// as it can, so that what everybody needs is one line and not a hundred.
type layers struct {
	all     []vertex // the nodes first, at their indices
	columns [][]int
	chains  [][]int // the bends of each node's edges, in the columns after its own
	edges   []edge  // those that lead forwards
}

// columnMost is how many nodes stand in a column at the least before it counts
// as full.
const columnMost = 16

// layersOf puts every node into the first column that is after all of what it
// needs and is not full. Edges that would close a circle are left out.
func layersOf(heights []float64, edges []edge) *layers {
	l := &layers{all: make([]vertex, len(heights)), chains: make([][]int, len(heights)), edges: withoutCircles(len(heights), edges)}
	needs, users := make([][]int, len(heights)), make([][]int, len(heights))
	for _, e := range l.edges {
		needs[e.to], users[e.from] = append(needs[e.to], e.from), append(users[e.from], e.to)
	}
	most := max(columnMost, int(math.Sqrt(float64(2*len(heights)))))
	var full []int // how many are in each column
	for _, n := range longestFirst(users) {
		column := 0
		for _, from := range needs[n] {
			column = max(column, l.all[from].column+1)
		}
		for column < len(full) && full[column] >= most {
			column++
		}
		for len(full) <= column {
			full = append(full, 0)
		}
		full[column]++
		l.all[n] = vertex{node: n, column: column, height: heights[n]}
	}
	l.link()
	return l
}

// withoutCircles returns the edges but for those that would close a circle.
func withoutCircles(nodes int, edges []edge) []edge {
	from := make([][]int, nodes)
	for i, e := range edges {
		from[e.from] = append(from[e.from], i)
	}
	closing := make([]bool, len(edges))
	const onPath, done = 1, 2
	state := make([]int, nodes)
	var visit func(n int)
	visit = func(n int) {
		state[n] = onPath
		for _, i := range from[n] {
			switch to := edges[i].to; state[to] {
			case onPath:
				closing[i] = true
			case done:
			default:
				visit(to)
			}
		}
		state[n] = done
	}
	for n := range nodes {
		if state[n] != done {
			visit(n)
		}
	}
	var out []edge
	for i, e := range edges {
		if !closing[i] {
			out = append(out, e)
		}
	}
	return out
}

// longestFirst returns all nodes, those first from which the longest way leads
// on: nobody comes before what it needs, and what nobody needs comes last, as
// it can stand in any later column. There is no circle.
func longestFirst(users [][]int) []int {
	ways := make([]int, len(users)) // the longest from each node, counted in nodes
	var way func(n int) int
	way = func(n int) int {
		if ways[n] == 0 {
			longest := 0
			for _, user := range users[n] {
				longest = max(longest, way(user))
			}
			ways[n] = longest + 1
		}
		return ways[n]
	}
	out := make([]int, len(users))
	for n := range users {
		out[n] = n
		way(n)
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(ways[b], ways[a]) })
	return out
}

// link makes the bends, the neighbours and the columns.
func (l *layers) link() {
	for _, e := range l.edges {
		from, last := e.from, l.all[e.from].column
		for len(l.chains[from]) < l.all[e.to].column-last-1 {
			bend := len(l.all)
			column := last + len(l.chains[from]) + 1
			l.all = append(l.all, vertex{node: -1, column: column})
			l.join(l.tail(from, column), bend)
			l.chains[from] = append(l.chains[from], bend)
		}
		l.join(l.tail(from, l.all[e.to].column), e.to)
	}
	for i := range l.all {
		v := &l.all[i]
		for len(l.columns) <= v.column {
			l.columns = append(l.columns, nil)
		}
		v.place = len(l.columns[v.column])
		l.columns[v.column] = append(l.columns[v.column], i)
	}
}

// tail returns the vertex of a node's chain in the column before the given
// one.
func (l *layers) tail(node, column int) int {
	if i := column - l.all[node].column - 2; i >= 0 {
		return l.chains[node][i]
	}
	return node
}

func (l *layers) join(up, down int) {
	if !slices.Contains(l.all[up].downs, down) {
		l.all[up].downs = append(l.all[up].downs, down)
		l.all[down].ups = append(l.all[down].ups, up)
	}
}
