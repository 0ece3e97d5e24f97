package remote_test

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"tend/services/remote"
)

func TestALogIsFollowedWithTheNextManagerWithoutAGap(t *testing.T) {
	first := serve(t, socketIn(t))
	first.log.lines = []string{"a", "b"}
	var second *manager
	var got []string
	for line, err := range first.client.Lines(t.Context(), "web", url.Values{"follow": {"true"}, "tail": {"9"}}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, line.Text)
		if line.Text == "b" {
			first.end()
			second = serve(t, first.socket)
			second.log.lines = []string{"a", "b", "\xff", "d"}
		}
		if line.Text == "d" {
			break
		}
		if line.Raw != nil && string(line.Bytes()) != "\xff" {
			t.Errorf("read %q", line.Bytes())
		}
	}
	if want := []string{"a", "b", "\ufffd", "d"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if q := second.log.asked[0]; q.After.Off != 4 || q.Tail != -1 || !q.Follow {
		t.Errorf("the next manager was asked %+v", q)
	}
}

func TestALogThatIsNotFollowedEnds(t *testing.T) {
	m := serve(t, socketIn(t))
	m.log.lines = []string{"a", "b"}
	n := 0
	for line, err := range m.client.Lines(t.Context(), "web", nil) {
		if n++; err != nil || line.Address == "" {
			t.Errorf("%+v, %v", line, err)
		}
	}
	if n != 2 {
		t.Errorf("%d lines", n)
	}
}

func TestALogThatWasQuietIsFollowedFromWhereItWasOnceAnotherManagerCame(t *testing.T) {
	first := serve(t, socketIn(t))
	first.log.lines = []string{"a", "b"}
	remote.SetPatience(first.client, time.Millisecond) // which an enduring client does not inherit
	lost, found := make(chan struct{}, 1), make(chan struct{}, 1)
	client := first.client.Enduring(func(gone bool) {
		if gone {
			lost <- struct{}{}
		} else {
			found <- struct{}{}
		}
	})
	got := make(chan string)
	go func() { // ends with the test
		defer close(got)
		for line, err := range client.Lines(t.Context(), "web", url.Values{"follow": {"true"}, "tail": {"0"}}) {
			if err != nil {
				t.Error(err)
				return
			}
			select {
			case got <- line.Text:
			case <-t.Context().Done():
				return
			}
		}
	}()
	t.Cleanup(func() {
		for range got {
		}
	})
	<-first.begun
	<-first.begun // the place
	first.end()
	<-lost
	second := serve(t, first.socket)
	second.log.hold("a", "b", "c")
	if text := <-got; text != "c" {
		t.Errorf("it goes on with %q, want the line that came while nobody listened", text)
	}
	<-found
}
