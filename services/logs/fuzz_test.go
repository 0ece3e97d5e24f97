package logs

import (
	"bytes"
	"strings"
	"testing"
)

// Whatever a server writes, its log in windows of any size, from the end to the
// beginning or on from any line, is the same as its log read at once, which is
// what was written.
func FuzzWindowsOfAnyBytesAreTheWholeLog(f *testing.F) {
	f.Add([]byte("one\ntwo\n\nthree"), uint8(1), uint16(5))
	f.Add([]byte("\n\n\n"), uint8(2), uint16(0))
	f.Add([]byte("\x1b[31mred\r\n\x00\xff\xfe"), uint8(9), uint16(3))
	f.Add([]byte(strings.Repeat("x", 3000)+"\n"+strings.Repeat("y\n", 300)), uint8(7), uint16(100))
	f.Add([]byte(strings.Repeat("z", MaxText+10)+"\nend"), uint8(3), uint16(1000))
	f.Fuzz(func(t *testing.T, written []byte, tail uint8, size uint16) {
		if len(written) > 100_000 || tail == 0 {
			return
		}
		b := newBench(t, t.TempDir())
		file := b.begin("web", 1<<30)
		write(t, file, string(written))
		all := b.read("web", Query{Tail: -1})
		var text []byte
		for i, line := range all {
			text = append(text, line.Text...)
			if !line.Partial && !line.Cut {
				text = append(text, '\n')
			}
			if bytes.IndexByte(line.Text, '\n') >= 0 || len(line.Text) > MaxText || !line.Address.Before(line.Next) {
				t.Fatalf("line %d of %d bytes from %v to %v", i, len(line.Text), line.Address, line.Next)
			}
			if i > 0 && all[i-1].Next != line.Address {
				t.Fatalf("line %d ends at %v, the next one begins at %v", i-1, all[i-1].Next, line.Address)
			}
		}
		if cut := len(written) > MaxText; !cut && !bytes.Equal(text, written) {
			t.Fatalf("%q was written, %q is read", written, text)
		}

		var back []Line
		for at := (Address{}); ; {
			lines := b.read("web", Query{Tail: int(tail), Bytes: int64(size), Before: at})
			if len(lines) == 0 || len(back) > len(all) {
				break
			}
			back = append(append([]Line{}, lines...), back...)
			if at = lines[0].Address; at == all[0].Address {
				break
			}
		}
		same(t, "windows from the end", back, all)
		for i := range all {
			if i < 3 || i == len(all)/2 || i == len(all)-1 {
				same(t, "from a line on", b.read("web", Query{Tail: -1, After: all[i].Address}), all[i:])
			}
		}
	})
}

func same(t *testing.T, what string, got, want []Line) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d lines, not %d", what, len(got), len(want))
	}
	for i := range want {
		if got[i].Address != want[i].Address || got[i].Next != want[i].Next || got[i].Partial != want[i].Partial || got[i].Cut != want[i].Cut || !bytes.Equal(got[i].Text, want[i].Text) {
			t.Fatalf("%s: line %d is %+v, not %+v", what, i, got[i], want[i])
		}
	}
}

// FuzzAddressesAreReadAsTheyAreWrittenOrRefused is about what comes in a query.
func FuzzAddressesAreReadAsTheyAreWrittenOrRefused(f *testing.F) {
	for _, text := range []string{"1.4096", "", ".", "1.", "-1.2", "18446744073709551615.9223372036854775807", "01.1", "1.1.1", "1e3.0"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAddress(text)
		if err != nil {
			return
		}
		if again, err := ParseAddress(a.String()); err != nil || again != a || a.Off < 0 {
			t.Fatalf("%q is %v, and that is %v (%v)", text, a, again, err)
		}
	})
}
