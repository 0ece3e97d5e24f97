package model_test

import (
	"strings"
	"testing"

	"tend/services"
	"tend/views/canned"
	"tend/views/model"
)

func TestProcessesAreATree(t *testing.T) {
	var got []string
	for _, p := range model.ProcessesOf(canned.Tree(now), now) {
		got = append(got, p.Branch+p.PID)
	}
	if text := strings.Join(got, "\n"); text != "20611\n├ 20640\n└ 20641\n  ├ 20702\n  └ 20703" {
		t.Errorf("the tree is\n%s", text)
	}
	p := model.ProcessesOf(canned.Tree(now), now)[4]
	if p.Memory != "–" || p.State != "zombie" || p.CPU != "0s" || p.Started.Span != "1h 00m" {
		t.Errorf("%+v", p)
	}
	circle := []services.TreeProcess{{PID: 1, Parent: 2}, {PID: 2, Parent: 1}, {PID: 3, Parent: 3}}
	if list := model.ProcessesOf(circle, now); len(list) != 1 || list[0].PID != "3" {
		t.Errorf("a circle makes %+v", list)
	}
}

func TestAServerHasTabsAndNeighbors(t *testing.T) {
	a := model.AroundOf("b", "/events", []string{"a", "b", "c"})
	if a.Previous != "a/events" || a.Next != "c/events" || len(a.Tabs) != 5 || !a.Tabs[2].Here || a.Tabs[1].URL != "/servers/b/logs" || a.Tabs[1].Key != "2" {
		t.Errorf("%+v", a)
	}
	if a := model.AroundOf("a", "", []string{"a"}); a.Previous != "" || a.Next != "" || !a.Tabs[0].Here {
		t.Errorf("%+v", a)
	}
}
