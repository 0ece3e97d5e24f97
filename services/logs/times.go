package logs

import (
	"encoding/binary"
	"fmt"
	"os"
	"sort"
	"time"
)

// pair says that at a moment the log had been written up to an address. Lines
// between the pair before and this one were noticed then. A negative moment
// means at that time or before it: nobody was watching.
type pair struct {
	at  int64 // nanoseconds since 1970
	end Address
	sum uint64 // fingerprint of the bytes before end, as in segment
	n   uint64 // how many bytes that covers
}

const (
	pairSize = 40
	maxPairs = 16384 // 640 kB; beyond, the older ones are thinned out
)

// moment is when the lines that the pair covers were written, or an upper bound.
func (p pair) moment() int64 {
	if p.at < 0 {
		return -p.at
	}
	return p.at
}

// time is zero where nobody was watching.
func (p pair) time() time.Time {
	if p.at <= 0 {
		return time.Time{}
	}
	return time.Unix(0, p.at)
}

func (p pair) encode(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(p.at))
	b = binary.LittleEndian.AppendUint64(b, p.end.Gen)
	b = binary.LittleEndian.AppendUint64(b, uint64(p.end.Off))
	b = binary.LittleEndian.AppendUint64(b, p.sum)
	return binary.LittleEndian.AppendUint64(b, p.n)
}

func decodePair(b []byte) pair {
	u := binary.LittleEndian.Uint64
	return pair{at: int64(u(b)), end: Address{u(b[8:]), int64(u(b[16:]))}, sum: u(b[24:]), n: u(b[32:])}
}

// times is the sparse index <server>.log.times: pairs in the order of both
// moment and address. It is guarded by the log's lock. Its loss costs times only.
type times struct {
	path  string
	count int
	last  pair
}

func openTimes(path string) times {
	t := times{path: path}
	if info, err := os.Stat(path); err == nil {
		t.count = int(info.Size() / pairSize) // a torn last pair is written over
	}
	if t.count > 0 {
		if all, err := t.read(t.count-1, 1); err == nil {
			t.last = all[0]
		} else {
			t.count = 0
		}
	}
	return t
}

// add appends a pair. The clock may go back, the index does not.
func (t *times) add(p pair) error {
	if last := t.last.moment(); p.moment() < last {
		if p.at < 0 {
			p.at = -last
		} else {
			p.at = last
		}
	}
	if t.count >= maxPairs {
		if err := t.thin(); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(t.path, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("indexing times: %w", err)
	}
	defer f.Close()
	if _, err := f.WriteAt(p.encode(nil), int64(t.count)*pairSize); err != nil {
		return fmt.Errorf("indexing times: %w", err)
	}
	t.count++
	t.last = p
	return nil
}

// read returns n pairs from the i-th on, fewer at the end.
func (t *times) read(i, n int) ([]pair, error) {
	n = min(n, t.count-i)
	if n <= 0 {
		return nil, nil
	}
	f, err := os.Open(t.path)
	if err != nil {
		return nil, fmt.Errorf("reading times: %w", err)
	}
	defer f.Close()
	raw := make([]byte, n*pairSize)
	if _, err := f.ReadAt(raw, int64(i)*pairSize); err != nil {
		return nil, fmt.Errorf("reading times: %w", err)
	}
	out := make([]pair, n)
	for k := range out {
		out[k] = decodePair(raw[k*pairSize:])
	}
	return out, nil
}

// search returns the first pair for which ok is true, count where none is.
func (t *times) search(ok func(pair) bool) int {
	f, err := os.Open(t.path)
	if err != nil {
		return t.count
	}
	defer f.Close()
	var raw [pairSize]byte
	return sort.Search(t.count, func(i int) bool {
		if _, err := f.ReadAt(raw[:], int64(i)*pairSize); err != nil {
			return true
		}
		return ok(decodePair(raw[:]))
	})
}

// covering returns the index of the pair that tells the time of a byte at a.
func (t *times) covering(a Address) int {
	return t.search(func(p pair) bool { return a.Before(p.end) })
}

// since returns from where on everything was written at or after the moment.
// False where the whole log may have been.
func (t *times) since(moment time.Time) (Address, bool) {
	i := t.search(func(p pair) bool { return p.moment() >= moment.UnixNano() })
	if i == 0 {
		return Address{}, false
	}
	before, err := t.read(i-1, 1)
	if err != nil || len(before) == 0 {
		return Address{}, false
	}
	return before[0].end, true
}

// forget drops the pairs of lines that are gone, once they are worth it. The
// last pair before the head stays: it says when the head's lines began.
func (t *times) forget(head Address) error {
	gone := t.covering(head) - 1
	if gone < 64 || gone < t.count/4 {
		return nil
	}
	keep, err := t.read(gone, t.count)
	if err != nil {
		return err
	}
	return t.rewrite(keep)
}

// thin drops every other pair of the older three quarters.
func (t *times) thin() error {
	all, err := t.read(0, t.count)
	if err != nil {
		return t.rewrite(nil)
	}
	keep := all[:0]
	old := len(all) * 3 / 4
	for i, p := range all {
		if i >= old || i%2 == 1 {
			keep = append(keep, p)
		}
	}
	return t.rewrite(keep)
}

func (t *times) rewrite(keep []pair) error {
	raw := make([]byte, 0, len(keep)*pairSize)
	for _, p := range keep {
		raw = p.encode(raw)
	}
	temp := t.path + ".new"
	err := os.WriteFile(temp, raw, 0o600)
	if err == nil {
		err = os.Rename(temp, t.path)
	}
	if err != nil {
		_ = os.Remove(temp) // whatever was written of it
		return fmt.Errorf("shortening the index of times: %w", err)
	}
	t.count = len(keep)
	return nil
}
