package secrets

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"tend/services"
)

// keeper is one that reports into a list.
func keeper() (*Keeper, *[]string) {
	var said []string
	return New(func(e services.Event) { said = append(said, e.Message) }), &said
}

func TestAValueIsHiddenInEveryFormInWhichOurSentencesHoldIt(t *testing.T) {
	k, _ := keeper()
	value := "pa\"ss w\\ord/+é\tx"
	k.Learn("api", map[string]string{"KEY": value})
	for _, text := range []string{
		value,
		fmt.Sprintf("%q", value),
		"curl https://example.com/?key=pa%22ss+w%5Cord%2F%2B%C3%A9%09x",
		"curl https://example.com/pa%22ss%20w%5Cord%2F+%C3%A9%09x/",
		"twice " + value + " and " + value,
	} {
		if got := k.Hide("before " + text + " after"); !strings.HasPrefix(got, "before ") || !strings.HasSuffix(got, " after") || !strings.Contains(got, Hidden) || strings.Contains(got, "ord") {
			t.Errorf("%q became %q", text, got)
		}
	}
	if text := "nothing of it"; k.Hide(text) != text || string(k.HideBytes([]byte(text))) != text {
		t.Error("a text without it was changed")
	}
}

func TestEachLineOfALongKeyIsHidden(t *testing.T) {
	k, _ := keeper()
	k.Learn("api", map[string]string{"KEY": "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n}\nAgEAAoIBAQC7\n-----END KEY-----"})
	got := k.Hide("a line: MIIEvQIBADANBgkq\nanother: AgEAAoIBAQC7 }\n")
	if want := "a line: [secret]\nanother: [secret] }\n"; got != want {
		t.Errorf("%q", got)
	}
}

func TestTheLongerOfTwoValuesWins(t *testing.T) {
	k, _ := keeper()
	k.Learn("a", map[string]string{"A": "canary"})
	k.Learn("b", map[string]string{"B": "canary-and-more"})
	if got := k.Hide("x canary-and-more canary-and canary"); got != "x [secret] [secret]-and [secret]" {
		t.Errorf("%q", got)
	}
}

func TestValuesOfEarlierStartsAreRememberedForAWhile(t *testing.T) {
	k, _ := keeper()
	for i := range 20 {
		k.replace("a", map[string]string{"A": fmt.Sprintf("canary-%02d", i)})
	}
	for i, hidden := range map[int]bool{19: true, 15: true, 14: false} {
		text := fmt.Sprintf("canary-%02d", i)
		if got := k.Hide(text) != text; got != hidden {
			t.Errorf("value %d is hidden: %v, want %v", i, got, hidden)
		}
	}
	if got := k.Values("a")["A"]; got != "canary-19" {
		t.Errorf("the present value is %q", got)
	}
}

func TestAShortValueIsSaidToBeShortAndHidesNothing(t *testing.T) {
	k, said := keeper()
	k.Learn("a", map[string]string{"PIN": "1234", "EMPTY": ""})
	k.Learn("a", map[string]string{"PIN": "1234"})
	if got := k.Hide("port 12345"); got != "port 12345" {
		t.Errorf("%q", got)
	}
	if len(*said) == 0 || !strings.Contains((*said)[0], "PIN") || strings.Contains((*said)[0], "1234") {
		t.Errorf("%q", *said)
	}
}

func TestTheLogOfTheManagerHidesValues(t *testing.T) {
	k, _ := keeper()
	k.Learn("a", map[string]string{"A": `can"ary-1`})
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{ReplaceAttr: k.Attr}))
	value := `can"ary-1`
	log.With("with", value).WithGroup("g").Error("it says "+value, "text", value, "err", errors.New(value), "any", []string{value}, "n", 1)
	if text := out.String(); strings.Contains(text, "ary-1") || strings.Count(text, Hidden) != 5 || !strings.Contains(text, "n=1") {
		t.Error(text)
	}
}

func TestManyMayAskWhileOthersLearn(t *testing.T) {
	k := New(func(services.Event) {})
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 200 {
				value := fmt.Sprintf("value-%d-%d", i, j)
				k.replace("a", map[string]string{fmt.Sprint("K", i): value})
				if k.Hide(value) == value {
					t.Errorf("%s is not hidden", value)
				}
				k.Values("a")
			}
		})
	}
	all.Wait()
}
