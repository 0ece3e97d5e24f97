package logs

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"tend/services"
)

// discreet hides the word canary.
func discreet(text []byte) []byte { return bytes.ReplaceAll(text, []byte("canary"), []byte("[x]")) }

func TestWhatIsHiddenIsNeitherReadNorFoundNorCopiedButStaysInTheFile(t *testing.T) {
	s, err := Open(Options{Dir: t.TempDir(), Hide: discreet})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f, err := s.Begin("api", services.LogPolicy{MaxSize: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var text strings.Builder
	for text.Len() < 3*windowSize { // so that it stands across the ends of pieces
		text.WriteString("a canary sings\n")
	}
	text.WriteString("the last canary")
	if _, err := f.WriteString(text.String()); err != nil {
		t.Fatal(err)
	}
	want := strings.ReplaceAll(text.String(), "canary", "[x]")

	var copied bytes.Buffer
	if err := s.Copy(t.Context(), "api", &copied); err != nil || copied.String() != want {
		t.Errorf("copied %d bytes, want %d: %v", copied.Len(), len(want), err)
	}
	var read strings.Builder
	var at Address
	for line, err := range s.Read(t.Context(), "api", Query{Tail: -1}) {
		if err != nil {
			t.Fatal(err)
		}
		if !at.IsZero() && line.Address != at {
			t.Fatalf("a line at %v, want %v: addresses are those of the file", line.Address, at)
		}
		at = line.Next
		read.Write(line.Text)
		if !line.Partial {
			read.WriteByte('\n')
		}
	}
	if read.String() != want {
		t.Error("what is read is not what is to be seen")
	}
	for _, q := range []Query{{Tail: -1, Grep: regexp.MustCompile("canary")}, {Tail: 3, Grep: regexp.MustCompile("c.n")}} {
		for line, err := range s.Read(t.Context(), "api", q) {
			t.Errorf("%v found %q %v", q.Grep, line.Text, err)
			break
		}
	}
}

func TestALineThatIsTooLongIsCopiedInParts(t *testing.T) {
	var out bytes.Buffer
	b := &byLines{to: &out, hide: discreet}
	var all strings.Builder
	for _, piece := range []string{"can", "ary\ncan", strings.Repeat("y", MaxText), "ary", "\nend"} {
		all.WriteString(piece)
		if err := b.write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
		if len(b.rest) > MaxText {
			t.Errorf("%d bytes are held back", len(b.rest))
		}
	}
	if err := b.flush(); err != nil || out.String() != strings.ReplaceAll(all.String(), "canary", "[x]") {
		t.Errorf("%d bytes: %.40q %v", out.Len(), out.String(), err)
	}
}
