package logs

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheLinesOfARunAreThoseThatItHasWritten(t *testing.T) {
	flood := strings.Repeat(numbered(1), 200)
	for name, tt := range map[string]struct {
		runs  []string // what each has written
		next  []string // and under the next manager, where there is one
		want  []string // of the last runs that one manager has begun, and of those after them
		tail  int
		way   way
		files int
	}{
		"one that wrote little":            {runs: []string{"a1\na2\na3\n", "b1\n"}, want: []string{"a1|a2|a3", "b1"}, tail: 20, files: 1},
		"one that wrote more than is kept": {runs: []string{"a1\na2\na3\n", "b1\nb2\nb3\n"}, want: []string{"a2|a3", "b2|b3"}, tail: 2, files: 1},
		"one that wrote nothing":           {runs: []string{"a1\n", "", "c1\n"}, want: []string{"a1", "", "c1"}, tail: 20, files: 1},
		"a last line without an end":       {runs: []string{"a1\na2", "b1"}, want: []string{"a1|a2", "b1~"}, tail: 20, files: 1},
		"each in a file of its own":        {runs: []string{flood + "a1\n", "b1\n"}, want: []string{"a1", "b1"}, tail: 1, way: none, files: 2},
		"little in a file of its own":      {runs: []string{flood, "b1\n"}, want: []string{"b1"}, tail: 20, way: none, files: 2},
		"begun by an earlier manager":      {runs: []string{"a1\na2", "b1\n"}, next: []string{}, want: []string{"b1"}, tail: 20, files: 1},
		"and followed by others":           {runs: []string{"a1\na2", "b1"}, next: []string{"c1\n", "d1\n"}, want: []string{"b1", "c1", "d1"}, tail: 20, files: 1},
		"more than are remembered":         {runs: strings.SplitAfter("abcdefghijklmnop", ""), want: []string{"h", "i", "j", "k", "l", "m", "n", "o", "p~"}, tail: 20, files: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				change := func(o *Options) { o.way = tt.way }
				b := newBench(t, t.TempDir(), change)
				var began []time.Time
				run := func(text string) {
					<-time.After(time.Second + 300*time.Microsecond)
					f := b.begin("api", 16<<10)
					began = append(began, time.UnixMilli(time.Now().UnixMilli())) // as history keeps it
					write(t, f, text)
				}
				for _, text := range tt.runs {
					run(text)
				}
				if tt.next != nil {
					<-time.After(time.Second)
					b.read("api", Query{}) // the manager has seen the last of it
					b.reopen(change)
				}
				for _, text := range tt.next {
					run(text)
				}
				for i, want := range tt.want {
					if got := texts(b.read("api", Query{Tail: tt.tail, Run: began[len(began)-len(tt.want)+i]})); got != want {
						t.Errorf("run %d of the last: %q, want %q", i, got, want)
					}
				}
				if files, err := filepath.Glob(b.path("api.log*")); err != nil || len(slices.DeleteFunc(files, func(name string) bool { return strings.HasSuffix(name, ".times") || strings.HasSuffix(name, ".meta") })) != tt.files {
					t.Errorf("%v %v", files, err)
				}
			})
		})
	}
}
