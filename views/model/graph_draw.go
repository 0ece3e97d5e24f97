package model

import (
	"cmp"
	"slices"
)

// Drawing is the layered drawing of a graph, from left to right: what a server
// needs stands to its left. Boxes with names are wide and low, graphs of
// servers are shallow and many servers need the same one, so that columns make
// a drawing that fits a window where rows would be miles wide; and it reads
// like the start, in the direction of the text.
type Drawing struct {
	Width, Height string // in pixels
	Labelled      bool   // some edges have labels
	Edges         []Edge
	Boxes         []Box // in the order of reading: column by column, each from the top
}

// Edge is one dependency.
type Edge struct {
	ID       string
	Path     string
	Label    string // what has to be reached, "" for the usual
	X, Y     string // the end of the label
	From, To string // names of the servers
}

// Box is a node with its place.
type Box struct {
	Node
	X, Y, Width, Height string
	Edges               []string // the ids of all edges that begin or end here
	x, y, width, height float64
}

// The measures of a drawing, in pixels.
const (
	boxHeight    = 50
	boxMargin    = 14 // above and below the ends of edges
	plainEnd     = 10 // room for the end of an edge
	labelledEnd  = 15
	curveRoom    = 44 // between two columns
	labelRoom    = 74
	arrowRoom    = 12
	partGap      = 30   // between parts that do not hang together
	drawingWidth = 1180 // parts stand next to each other as long as they fit
	frameRoom    = 6    // around everything, for the outline of the focus
)

// draw makes the drawing of nodes. The same input gives the same drawing.
func draw(nodes []Node, edges []edge) Drawing {
	edges = distinct(edges)
	parts := partsOf(nodes, edges)
	most := float64(drawingWidth)
	for _, p := range parts {
		most = max(most, p.width)
	}
	var out Drawing
	var x, y, row, width float64
	for _, p := range parts {
		if x > 0 && x+p.width > most {
			x, y, row = 0, y+row+partGap, 0
		}
		p.paint(&out, x+frameRoom, y+frameRoom)
		width, row = max(width, x+p.width), max(row, p.height)
		x += p.width + partGap
	}
	out.Width, out.Height = pixels(width+2*frameRoom), pixels(y+row+2*frameRoom)
	return out
}

func pixels(v float64) string { return string(coord(nil, v)) }

// distinct leaves out edges that are there already, and those from a node to
// itself.
func distinct(edges []edge) []edge {
	type ends struct{ from, to int }
	seen := make(map[ends]bool, len(edges))
	out := make([]edge, 0, len(edges))
	for _, e := range edges {
		if k := (ends{e.from, e.to}); e.from != e.to && !seen[k] {
			seen[k] = true
			out = append(out, e)
		}
	}
	return out
}

// part is nodes that hang together.
type part struct {
	nodes         []Node
	edges         []edge
	layers        *layers
	width, height float64
	left, right   []float64 // of the columns
	labels        []float64 // room for labels before each column
	ends          []float64 // where each of layers.edges ends, from the middle of its node
}

// partsOf splits nodes into parts, in the order of their first nodes, and lays
// out each.
func partsOf(nodes []Node, edges []edge) []*part {
	root := make([]int, len(nodes)) // towards the first node of the part
	for i := range root {
		root[i] = i
	}
	find := func(i int) int {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for _, e := range edges {
		a, b := find(e.from), find(e.to)
		root[max(a, b)] = min(a, b)
	}
	var parts []*part
	in := make(map[int]*part)
	index := make([]int, len(nodes))
	for i, n := range nodes {
		p := in[find(i)]
		if p == nil {
			p = &part{}
			in[find(i)] = p
			parts = append(parts, p)
		}
		index[i] = len(p.nodes)
		p.nodes = append(p.nodes, n)
	}
	for _, e := range edges {
		p := in[find(e.from)]
		p.edges = append(p.edges, edge{index[e.from], index[e.to], e.label})
	}
	for _, p := range parts {
		p.arrange()
	}
	return parts
}

// arrange finds the places of everything in the part.
func (p *part) arrange() {
	heights := make([]float64, len(p.nodes))
	for _, e := range p.edges {
		heights[e.to] += end(e)
	}
	for i := range heights {
		heights[i] = max(boxHeight, heights[i]+2*boxMargin)
	}
	p.layers = layersOf(heights, p.edges)
	p.layers.order()
	p.height = p.layers.place()
	p.columns()
	p.spread()
}

// end is how much room the end of an edge needs.
func end(e edge) float64 {
	if e.label != "" {
		return labelledEnd
	}
	return plainEnd
}

// columns finds where the columns begin and end.
func (p *part) columns() {
	n := len(p.layers.columns)
	p.left, p.right, p.labels = make([]float64, n), make([]float64, n), make([]float64, n)
	for _, e := range p.layers.edges {
		if e.label != "" {
			p.labels[p.layers.all[e.to].column] = labelRoom
		}
	}
	x := 0.0
	for c, column := range p.layers.columns {
		if c > 0 {
			// Many lines need more room to be told apart.
			x += curveRoom + min(60, 2*float64(len(column))) + p.labels[c]
		}
		width := 0.0
		for _, i := range column {
			if node := p.layers.all[i].node; node >= 0 {
				width = max(width, boxWidth(p.nodes[node]))
			}
		}
		p.left[c], p.right[c] = x, x+width
		x += width
	}
	p.width = x
}

// boxWidth is how wide a box has to be for what is in it. There are no fonts
// here, so letters count by their usual width, rather too wide.
func boxWidth(n Node) float64 {
	name := 0.0
	for _, r := range n.Label {
		switch r {
		case 'm', 'w':
			name += 13
		case 'i', 'j', 'l', 'f', 't', 'r', '-', '1':
			name += 6.2
		default:
			name += 9
		}
	}
	state := 92.0 // the longest one, so that a box never has to grow
	if n.Port != "" {
		state += 14 + 7.5*float64(len(n.Port))
	}
	return float64(int(max(name, state)) + 24)
}

// spread gives each edge its place on the left side of the box where it ends,
// in the order in which the edges come.
func (p *part) spread() {
	p.ends = make([]float64, len(p.layers.edges))
	into := make([][]int, len(p.nodes))
	for i, e := range p.layers.edges {
		into[e.to] = append(into[e.to], i)
	}
	for to, list := range into {
		slices.SortStableFunc(list, func(a, b int) int {
			return cmp.Compare(p.from(a, to).y, p.from(b, to).y)
		})
		total := 0.0
		for _, i := range list {
			total += end(p.layers.edges[i])
		}
		at := -total / 2
		for _, i := range list {
			room := end(p.layers.edges[i])
			p.ends[i] = at + room/2
			at += room
		}
	}
}

// from is the last vertex of an edge before its end.
func (p *part) from(i, to int) *vertex {
	return &p.layers.all[p.layers.tail(p.layers.edges[i].from, p.layers.all[to].column)]
}

// paint adds the part to a drawing, at a place.
func (p *part) paint(out *Drawing, x, y float64) {
	ids := make([][]string, len(p.nodes))
	for i, e := range p.layers.edges {
		id := "edge-" + itoa(len(out.Edges))
		ids[e.from], ids[e.to] = append(ids[e.from], id), append(ids[e.to], id)
		to := &p.layers.all[e.to]
		out.Labelled = out.Labelled || e.label != ""
		out.Edges = append(out.Edges, Edge{
			ID: id, Path: p.path(i, x, y), Label: e.label, From: p.nodes[e.from].Name, To: p.nodes[e.to].Name,
			X: pixels(x + p.left[to.column] - arrowRoom), Y: pixels(y + to.y + p.ends[i]),
		})
	}
	for c, column := range p.layers.columns {
		for _, i := range column {
			v := &p.layers.all[i]
			if v.node < 0 {
				continue
			}
			b := Box{Node: p.nodes[v.node], Edges: ids[v.node], x: x + p.left[c], y: y + v.y - v.height/2, width: p.right[c] - p.left[c], height: v.height}
			b.X, b.Y, b.Width, b.Height = pixels(b.x), pixels(b.y), pixels(b.width), pixels(b.height)
			out.Boxes = append(out.Boxes, b)
		}
	}
}

// path returns the line of an edge: level beside the boxes of each column,
// and curved between columns, with an arrow at its end.
func (p *part) path(i int, x, y float64) string {
	e := p.layers.edges[i]
	from, to := &p.layers.all[e.from], &p.layers.all[e.to]
	b := pair([]byte{'M'}, x+p.right[from.column], y+from.y)
	at := y + from.y
	for c := from.column + 1; c <= to.column; c++ {
		begin, stop := x+p.right[c-1], x+p.left[c]-p.labels[c]-arrowRoom
		next, level := y+to.y+p.ends[i], x+p.left[c]-2
		if c < to.column {
			next, level = y+p.layers.all[p.layers.chains[e.from][c-from.column-1]].y, x+p.right[c]
		}
		if next != at {
			middle := (begin + stop) / 2
			b = pair(append(b, 'C'), middle, at)
			b = pair(append(b, ' '), middle, next)
			b = pair(append(b, ' '), stop, next)
		}
		b = coord(append(b, 'H'), level)
		at = next
	}
	return string(append(b, "m-5.5 -4 5.5 4 -5.5 4"...))
}

func pair(b []byte, x, y float64) []byte {
	return coord(append(coord(b, x), ' '), y)
}
