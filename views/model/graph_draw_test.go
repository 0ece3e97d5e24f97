package model

import (
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tend/services"
	"tend/views/canned"
)

// random is servers with dependencies on earlier ones, the same for each seed.
func random(servers, edges int, seed int64) ([]Node, []edge) {
	r := rand.New(rand.NewSource(seed))
	nodes := make([]Node, servers)
	for i := range nodes {
		nodes[i] = Node{ID: fmt.Sprintf("s%d", i), Name: fmt.Sprintf("s%d", i), Label: fmt.Sprintf("server-%d", i), Port: "80"}
	}
	var list []edge
	for range edges {
		to := 1 + r.Intn(servers-1)
		e := edge{from: r.Intn(to), to: to}
		if r.Intn(4) == 0 {
			e.label = "completed"
		}
		list = append(list, e)
	}
	return nodes, list
}

func TestADrawingHasNoOverlapsAndEveryEdgeLeadsToTheRight(t *testing.T) {
	for _, size := range []struct{ servers, edges int }{{2, 1}, {6, 7}, {40, 60}, {120, 90}, {300, 600}, {60, 900}} {
		for seed := range int64(4) {
			nodes, edges := random(size.servers, size.edges, seed)
			d := draw(nodes, edges)
			if len(d.Boxes) != size.servers || len(d.Edges) != len(distinct(edges)) {
				t.Fatalf("%v: %d boxes, %d edges of %d", size, len(d.Boxes), len(d.Edges), len(distinct(edges)))
			}
			checkDrawing(t, d)
		}
	}
}

// checkDrawing looks at what a drawing shows, not at how it was made.
func checkDrawing(t *testing.T, d Drawing) {
	t.Helper()
	width, _ := strconv.ParseFloat(d.Width, 64)
	height, _ := strconv.ParseFloat(d.Height, 64)
	byName := map[string]Box{}
	for i, a := range d.Boxes {
		byName[a.Name] = a
		if a.x < 0 || a.y < 0 || a.x+a.width > width || a.y+a.height > height {
			t.Errorf("%s is outside of the drawing", a.Name)
		}
		for _, b := range d.Boxes[:i] {
			if a.x < b.x+b.width && b.x < a.x+a.width && a.y < b.y+b.height && b.y < a.y+a.height {
				t.Errorf("%s and %s overlap", a.Name, b.Name)
			}
		}
	}
	for _, e := range d.Edges {
		from, to := byName[e.From], byName[e.To]
		if from.x+from.width >= to.x {
			t.Errorf("the edge from %s to %s does not lead to the right", e.From, e.To)
		}
		points := corners(t, e.Path)
		first, last := points[0], points[len(points)-1]
		if first.x != from.x+from.width || first.y < from.y || first.y > from.y+from.height {
			t.Errorf("the edge from %s to %s begins at %v", e.From, e.To, first)
		}
		if last.x != to.x-2 || last.y < to.y || last.y > to.y+to.height {
			t.Errorf("the edge from %s to %s ends at %v", e.From, e.To, last)
		}
		for i, p := range points[1:] {
			before := points[i]
			if p.x < before.x {
				t.Errorf("the edge from %s to %s turns back at %v", e.From, e.To, p)
			}
			for _, b := range d.Boxes {
				if p.x > b.x && before.x < b.x+b.width && max(p.y, before.y) > b.y && min(p.y, before.y) < b.y+b.height {
					t.Fatalf("the edge from %s to %s crosses %s", e.From, e.To, b.Name)
				}
			}
		}
	}
}

// corners returns the points of a path, without what bends it between them.
func corners(t *testing.T, path string) []point {
	t.Helper()
	path, _, found := strings.Cut(path, "m")
	if !found {
		t.Fatalf("the path has no arrow: %s", path)
	}
	var out []point
	for _, part := range strings.FieldsFunc(strings.NewReplacer("C", "|C", "H", "|H").Replace(path), func(r rune) bool { return r == '|' }) {
		var n []float64
		for _, text := range strings.Fields(part[1:]) {
			v, err := strconv.ParseFloat(text, 64)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			n = append(n, v)
		}
		p := point{x: n[len(n)-1]}
		switch part[0] {
		case 'H':
			p.y = out[len(out)-1].y
		default:
			p = point{n[len(n)-2], n[len(n)-1]}
		}
		out = append(out, p)
	}
	return out
}

func TestADrawingIsTheSameEachTime(t *testing.T) {
	nodes, edges := random(200, 400, 7)
	first := draw(nodes, edges)
	for range 3 {
		if !reflect.DeepEqual(draw(nodes, edges), first) {
			t.Fatal("the same servers are drawn in another way")
		}
	}
}

func TestFewLinesCross(t *testing.T) {
	// A drawing without crossings exists: three chains, named in a mixed order.
	nodes, _ := random(9, 1, 1)
	p := &part{nodes: nodes, edges: []edge{{0, 5, ""}, {1, 3, ""}, {2, 4, ""}, {3, 8, ""}, {4, 6, ""}, {5, 7, ""}}}
	p.arrange()
	if n := p.layers.crossings(); n != 0 {
		t.Errorf("%d lines cross", n)
	}
	// Postgres, redis, migrate, api, worker and web of the gallery: one crossing
	// cannot be avoided.
	nodes, _ = random(6, 1, 1)
	p = &part{nodes: nodes, edges: []edge{{0, 2, ""}, {0, 3, ""}, {1, 3, ""}, {2, 3, ""}, {1, 4, ""}, {2, 4, ""}, {3, 5, ""}}}
	p.arrange()
	if n := p.layers.crossings(); n != 1 {
		t.Errorf("%d lines cross instead of one", n)
	}
	for _, test := range []struct {
		edges []edge
		want  int
	}{
		{[]edge{{0, 3, ""}, {1, 2, ""}}, 1},
		{[]edge{{0, 2, ""}, {1, 3, ""}}, 0},
		{[]edge{{0, 2, ""}, {0, 3, ""}, {1, 2, ""}, {1, 3, ""}}, 1},
	} {
		l := layersOf(make([]float64, 4), test.edges)
		if got := l.crossings(); got != test.want {
			t.Errorf("%v: %d lines cross, not %d", test.edges, got, test.want)
		}
	}
}

func TestACircleIsDrawnWithoutTheEdgeThatClosesIt(t *testing.T) {
	nodes, _ := random(3, 1, 1)
	d := draw(nodes, []edge{{0, 1, ""}, {1, 2, ""}, {2, 0, ""}, {1, 1, ""}, {0, 1, ""}})
	if len(d.Boxes) != 3 || len(d.Edges) != 2 {
		t.Fatalf("%d boxes, %d edges", len(d.Boxes), len(d.Edges))
	}
	checkDrawing(t, d)
}

func TestWhatEverybodyNeedsIsOneLine(t *testing.T) {
	nodes, _ := random(40, 1, 1)
	var edges []edge
	for i := 1; i < 40; i++ {
		edges = append(edges, edge{i - 1, i, ""}, edge{0, i, ""})
	}
	l := layersOf(make([]float64, 40), distinct(edges))
	if bends := len(l.all) - 40; bends != 38 {
		t.Errorf("%d bends", bends)
	}
	checkDrawing(t, draw(nodes, edges))
}

func TestThreeHundredServersAreDrawnAtOnce(t *testing.T) {
	best := time.Hour
	nodes, edges := random(300, 600, 1)
	for range 5 {
		began := time.Now()
		draw(nodes, edges)
		best = min(best, time.Since(began))
	}
	t.Logf("drawn in %v", best)
	if best > time.Second { // generous: with the race detector, beside other tests
		t.Errorf("it took %v", best)
	}
}

func BenchmarkGraph(b *testing.B) {
	nodes, edges := random(300, 600, 1)
	for b.Loop() {
		draw(nodes, edges)
	}
}

func statuses(list []services.Status) []*services.Status {
	out := make([]*services.Status, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}

func TestAGraphDrawsWhoIsTiedAndListsEverybody(t *testing.T) {
	g := GraphOf(statuses(canned.Graph("six", time.Now())), 9)
	if g.Rev != "9" || g.Empty() || len(g.Chart.Boxes) != 6 || len(g.Chart.Edges) != 7 || len(g.Alone) != 0 || len(g.Rows) != 6 {
		t.Fatalf("%+v", g)
	}
	labels := map[string]string{}
	for _, e := range g.Chart.Edges {
		if e.Label != "" {
			labels[e.From+" "+e.To] = e.Label
		}
	}
	if want := map[string]string{"migrate api": "completed", "migrate worker": "completed", "redis worker": "started"}; !reflect.DeepEqual(labels, want) {
		t.Errorf("labels %v", labels)
	}
	var order []string
	for _, b := range g.Chart.Boxes {
		order = append(order, b.Name)
	}
	if i := slices.Index(order, "web"); i != 5 {
		t.Errorf("the order of reading is %v", order)
	}
	row := g.Rows[2]
	if row.Name != "migrate" || row.State.Word != "completed" || !slices.Equal(row.Needs, []Tie{{Name: "postgres", URL: "/servers/postgres"}}) ||
		!slices.Equal(row.NeededBy, []Tie{{Name: "api", URL: "/servers/api"}, {Name: "worker", URL: "/servers/worker"}}) {
		t.Errorf("%+v", row)
	}
	if text := g.Rows[4].Text; text != "worker backoff, needs redis (started), migrate (completed)" {
		t.Errorf("%q", text)
	}
	checkDrawing(t, g.Chart)
}

func TestServersOnTheirOwnAreNotDrawn(t *testing.T) {
	var list []services.Status
	for i := range 1000 {
		list = append(list, services.Status{ID: fmt.Sprint("s", i), Name: fmt.Sprint("s", i)})
	}
	list[1].DependsOn = []string{"gone"} // of an orphan, whose dependency has left
	list[2].DependsOn = []string{"s2"}
	list[5].DependsOn = []string{"gone", "gone"}
	g := GraphOf(statuses(list), 1)
	if len(g.Chart.Boxes) != 0 || len(g.Alone) != 1000 || len(g.Rows) != 1000 || g.Rows[1].Needs[0] != (Tie{Name: "gone"}) {
		t.Errorf("%d boxes, %d alone, %d rows, %+v", len(g.Chart.Boxes), len(g.Alone), len(g.Rows), g.Rows[1])
	}
	list[3].DependsOn = []string{"s4"}
	linked := Linked(statuses(list), NeededBy(statuses(list)))
	if !linked["s3"] || !linked["s4"] || linked["s1"] || linked["s2"] || len(linked) != 1000 {
		t.Errorf("linked: %v %v %v %v", linked["s1"], linked["s2"], linked["s3"], linked["s4"])
	}
	if !GraphOf(nil, 1).Empty() {
		t.Error("a graph without servers is not empty")
	}
}

func TestManySmallPartsAreNotAMileWideNorHigh(t *testing.T) {
	nodes, _ := random(200, 1, 1)
	var edges []edge
	for i := 0; i < 200; i += 2 {
		edges = append(edges, edge{i, i + 1, ""})
	}
	d := draw(nodes, edges)
	width, _ := strconv.ParseFloat(d.Width, 64)
	height, _ := strconv.ParseFloat(d.Height, 64)
	if width > drawingWidth+2*frameRoom || height > 3500 {
		t.Errorf("%v x %v", width, height)
	}
	checkDrawing(t, d)
}

func TestWhatAThousandServersNeedStandsInTheMiddle(t *testing.T) {
	nodes, _ := random(1000, 1, 1)
	var edges []edge
	for i := 1; i < 1000; i++ {
		edges = append(edges, edge{0, i, ""})
	}
	d := draw(nodes, edges)
	if height, _ := strconv.ParseFloat(d.Height, 64); height > 3200 || d.Boxes[0].y < height/3 || d.Boxes[0].y > height*2/3 {
		t.Errorf("it stands at %v of %v", d.Boxes[0].y, height)
	}
}

func TestALongNameIsCutInItsMiddle(t *testing.T) {
	for name, want := range map[string]string{
		"api": "api", strings.Repeat("a", labelRunes): strings.Repeat("a", labelRunes),
		"company-payments-service-europe-west": "company-paym…europe-west",
	} {
		if got := shortName(name, labelRunes); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestTiesAreTheSameWhenNamesAndConditionsAre(t *testing.T) {
	one := func(until services.Conditions, names ...string) *services.Status {
		return &services.Status{DependsOn: names, Until: until}
	}
	started := services.Conditions{"db": services.UntilStarted}
	for i, test := range []struct {
		a, b *services.Status
		want bool
	}{
		{one(nil), one(nil), true},
		{one(nil, "db"), one(nil, "db"), true},
		{one(started, "db"), one(services.Conditions{"db": services.UntilStarted}, "db"), true},
		{one(nil, "db"), one(started, "db"), false},
		{one(nil, "db"), one(nil, "db", "redis"), false},
		{one(nil, "db"), one(nil), false},
	} {
		if SameTies(test.a, test.b) != test.want {
			t.Errorf("%d: not %v", i, test.want)
		}
	}
}
