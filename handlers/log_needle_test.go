package handlers

import (
	"math/rand/v2"
	"regexp"
	"testing"
)

func TestANeedleMayBeWhereTheRegularExpressionFindsIt(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	letters := []string{"a", "A", "k", "K", "\u212a", "s", "S", "\u017f", "é", "É", ".", "[", "\xff", " "}
	text := func(most int) (out string) {
		for range 1 + r.IntN(most) {
			out += letters[r.IntN(len(letters))]
		}
		return out
	}
	found, missed := 0, 0
	for range 100_000 {
		look, line := text(3), text(12)
		search, err := regexp.Compile("(?i)" + regexp.QuoteMeta(look))
		if err != nil {
			continue // it is no text
		}
		is, may := search.MatchString(line), needleOf(look).mayBeIn([]byte(line))
		if is && !may {
			t.Fatalf("%q is in %q", look, line)
		}
		if is {
			found++
		} else if !may {
			missed++
		}
	}
	if found < 10_000 || missed < 10_000 {
		t.Errorf("%d were found, %d were told to be nowhere", found, missed)
	}
	for _, tt := range []struct {
		look, line string
		want       bool
	}{{"Needle", "a nEEDLe", true}, {"needle", "a needl", false}, {"x", "", false}, {"task", "the tas", false}, {"é", "nothing of it", true}} {
		if got := needleOf(tt.look).mayBeIn([]byte(tt.line)); got != tt.want {
			t.Errorf("%+v: %v", tt, got)
		}
	}
}
