package model_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tend/services"
	"tend/views/canned"
	"tend/views/model"
)

func find(query string) model.Find {
	q, err := url.ParseQuery(query)
	if err != nil {
		panic(err)
	}
	return model.FindOf(q)
}

func TestWhatIsLookedForIsReadFromTheAddressAndWrittenBack(t *testing.T) {
	for query, want := range map[string]string{
		"":                                     "/",
		"q=&state=&sort=":                      "/",
		"q=++a+%20+b++&state=failed":           "/?q=a+b&state=failed",
		"state=running&state=stopped":          "/?state=stopped",
		"state=stopped&state=":                 "/",
		"state=dancing&sort=beauty":            "/",
		"sort=-cpu":                            "/?sort=-cpu",
		"sort=--cpu":                           "/",
		"fold=b&fold=a&fold=b":                 "/?fold=a&fold=b",
		"fold=a&toggle=b":                      "/?fold=a&fold=b",
		"fold=a&fold=b&toggle=a":               "/?fold=b",
		"q=x&state=failed&sort=cpu&all=yes":    "/?sort=cpu",
		"q=" + strings.Repeat("x", 300):        "/",
		"q=%3Cb%3E&utm_source=somebody&hx=yes": "/?q=%3Cb%3E",
	} {
		if got := find(query).Path(); got != want {
			t.Errorf("%q becomes %q, want %q", query, got, want)
		}
	}
}

// listed are the names on an overview, in order, without those that are hidden.
func listed(o model.Overview) string {
	var names []string
	for _, g := range o.Groups {
		for s := range g.Servers() {
			if !s.Hidden {
				names = append(names, s.Name)
			}
		}
	}
	return strings.Join(names, " ")
}

func TestServersAreFoundByNameGroupCommandPortAndState(t *testing.T) {
	for query, want := range map[string]string{
		"q=redis":               "redis",
		"q=DATA":                "postgres redis",
		"q=server.js":           "web",
		"q=5432":                "postgres",
		"q=backoff":             "worker",
		"q=back+public":         "",
		"q=backend+8080":        "api",
		"state=failed":          "search",
		"state=unhealthy":       "redis",
		"state=running&q=front": "",
		"q=nothing+at+all":      "",
	} {
		o := model.OverviewOf(refs(canned.Servers(now)), find(query), 1, frame)
		if got := listed(o); got != want || o.None != (want == "") {
			t.Errorf("%q finds %q (none: %v), want %q", query, got, o.None, want)
		}
		for _, g := range o.Groups {
			shown := false
			for s := range g.Servers() {
				shown = shown || !s.Hidden
			}
			if g.Shown != shown {
				t.Errorf("%q: the group %q is shown: %v", query, g.Title, g.Shown)
			}
		}
	}
}

func TestALongListIsSplitBehindTheFirstThatAreSeen(t *testing.T) {
	var list []services.Status
	for i := range 30 {
		list = append(list, services.Status{Name: fmt.Sprintf("s%02d", i), Group: fmt.Sprint("g", i/10), Command: fmt.Sprint("odd", i%2)})
	}
	for _, tt := range []struct {
		query string
		first int
		want  string // how many are in each group, the rest behind a bar
	}{
		{"", 4, "4 | 6 10 10"},
		{"", 10, "10 | 0 10 10"},
		{"", 14, "10 4 | 6 10"},
		{"", 15, "10 10 10"},
		{"", 40, "10 10 10"},
		{"q=odd1", 4, "8 | 2 10 10"},
		{"q=odd1", 8, "10 10 10"},
		{"q=s2", 4, "10 10 4 | 6"},
		{"fold=in+g0", 4, "10 4 | 6 10"},
		{"fold=in+g2", 4, "4 | 6 10 10"},
		{"sort=-name", 4, "4 | 26"},
	} {
		o := model.OverviewOf(refs(list), find(tt.query), 1, frame)
		whole := listed(o)
		o.Split(tt.first)
		var got []string
		parts := [][]model.Group{o.Groups, o.Rest}
		for i, groups := range parts {
			if i == 1 && len(groups) > 0 {
				got = append(got, "|")
			}
			for j, g := range groups {
				n := 0
				for range g.Servers() {
					n++
				}
				got = append(got, fmt.Sprint(n))
				if goesOn := i == 1 && j == 0; goesOn != (g.ID == "") || goesOn && g.Title != "" {
					t.Errorf("%+v: group %d of part %d is %q, %q", tt, j, i, g.ID, g.Title)
				}
			}
		}
		if text := strings.Join(got, " "); text != tt.want {
			t.Errorf("%+v: it is split into %s", tt, text)
		}
		o.Groups = slices.Concat(parts...)
		if listed(o) != whole {
			t.Errorf("%+v: together they are %q, not %q", tt, listed(o), whole)
		}
	}
}

func TestTheListIsSortedByAnyColumnInOneGroup(t *testing.T) {
	list := canned.Servers(now)
	for i := range list {
		list[i].Usage = &services.Sample{CPU: float64(i % 3), Memory: services.Amount(100 - i)}
	}
	first := func(query string) string {
		o := model.OverviewOf(refs(list), find(query), 1, frame)
		if len(o.Groups) != 1 || o.Groups[0].Title != "" || o.Groups[0].Count != fmt.Sprint(len(list)) {
			t.Errorf("%q makes %d groups", query, len(o.Groups))
		}
		for s := range o.Groups[0].Servers() {
			return s.Name
		}
		return ""
	}
	for query, want := range map[string]string{
		"sort=name": "api", "sort=-name": "worker", "sort=state": "search", "sort=health": "redis", "sort=-restarts": "search", "sort=-port": "search",
		"sort=up": "postgres", "sort=-cpu": "api", "sort=-memory": "postgres", "sort=-pid": "preview", "sort=-exit": "worker",
	} {
		if got := first(query); got != want {
			t.Errorf("%q begins with %s, want %s", query, got, want)
		}
	}
}

func TestAColumnIsSortedBothWaysAndThenNotAnyMore(t *testing.T) {
	for query, want := range map[string]model.Column{
		"":           {Key: "cpu", Name: "CPU", Next: "-cpu"},
		"sort=name":  {Key: "cpu", Name: "CPU", Next: "-cpu"},
		"sort=-cpu":  {Key: "cpu", Name: "CPU", Next: "cpu", Sorted: "descending"},
		"sort=cpu":   {Key: "cpu", Name: "CPU", Next: "", Sorted: "ascending"},
		"sort=-name": {Key: "cpu", Name: "CPU", Next: "-cpu"},
	} {
		if got := find(query).Column("cpu", "CPU"); got != want {
			t.Errorf("%q makes %+v, want %+v", query, got, want)
		}
	}
	if got := find("sort=name").Column("name", "Server"); got.Next != "-name" || got.Sorted != "ascending" {
		t.Errorf("names: %+v", got)
	}
}

func TestAQuestionNamesEverybody(t *testing.T) {
	ask := model.AskOf(services.Stop, []string{"db", "web"}, []string{"z", "api"})
	if ask.Title != "Stop 2 servers?" || ask.Yes != "Stop 2 servers" || ask.Dependents != "api, z" || ask.Danger {
		t.Errorf("asked %+v", ask)
	}
	ask = model.AskOf(services.Kill, []string{"db"}, nil)
	if ask.Title != "Kill db?" || ask.Dependents != "" || !ask.Danger || ask.Done() != "Kill: asked of db" {
		t.Errorf("asked %+v", ask)
	}
	if ask := model.AskOf(services.Restart, []string{"db"}, []string{"api"}); ask.Dependents != "" {
		t.Errorf("a restart asks about %s", ask.Dependents)
	}
}

func TestTheStripOfARowIsOnePathForEachVigour(t *testing.T) {
	var minutes [model.StripSlots]services.Vigour
	for i := range minutes {
		minutes[i] = services.VigourUp
	}
	minutes[0], minutes[30] = services.VigourNone, services.VigourBroken
	s := model.NewRowStrip(minutes, now)
	if len(s.Cells) != 2 || s.Cells[0].Path != "M1 20v-20h29v20zM31 20v-20h29v20z" || !strings.Contains(s.Text, "well 98 %") {
		t.Errorf("the strip is %+v", s)
	}
	if s := model.NewRowStrip([model.StripSlots]services.Vigour{}, now); len(s.Cells) != 0 {
		t.Errorf("of nothing it is %+v", s)
	}
}
