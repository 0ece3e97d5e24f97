package process

import (
	"os"
	"os/exec"
	"slices"
	"testing"
)

func TestALookListsAgainWhereSomebodyWasGone(t *testing.T) {
	past := exec.Command("true")
	if err := past.Run(); err != nil {
		t.Fatal(err)
	}
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait()         //nolint:errcheck // it was killed
	defer child.Process.Kill() //nolint:errcheck // Wait would say so
	gone, here, parent := past.Process.Pid, child.Process.Pid, os.Getpid()
	for name, c := range map[string]struct {
		lists [][]int
		asked int
	}{
		"nobody":            {[][]int{{here, parent}}, 1},
		"somebody":          {[][]int{{parent, gone}, {parent, here}}, 2}, // whoever is gone has forked
		"somebody for long": {[][]int{{parent, gone}, {gone, here}}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			table := lookAt("", func() ([]int, error) {
				asked++
				return c.lists[min(asked, len(c.lists))-1], nil
			})
			if asked != c.asked || !table.sure || len(table.byPID) != 2 {
				t.Errorf("%d lists, sure: %v, found: %v", asked, table.sure, table.byPID)
			}
			if !slices.Contains(table.children[parent], here) {
				t.Errorf("the children of %d are %v", parent, table.children[parent])
			}
		})
	}
	asked := 0
	lookAt("", func() ([]int, error) { asked++; return []int{gone + asked<<24}, nil }) // nobody has such pids
	if asked != mostLists {
		t.Errorf("where processes come and go all the time it listed %d times", asked)
	}
}
