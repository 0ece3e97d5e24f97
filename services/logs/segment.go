package logs

import (
	"hash/fnv"
	"os"
)

// segment is one file of a log: the present one, or the one that a rotation
// left behind. The exported fields are what the sidecar keeps.
type segment struct {
	Gen   uint64 `json:"gen"`
	Base  int64  `json:"base"`  // address of the file's first byte
	Start int64  `json:"start"` // offset of the first byte that is kept; what is before is a hole, or soon will be
	Whole bool   `json:"whole"` // a line begins at Start
	Head  print  `json:"head"`  // of the bytes at Start

	file *os.File
	size int64 // how far the file has been looked at; readers stop here
}

func (s *segment) first() Address { return Address{s.Gen, s.Base + s.Start} }
func (s *segment) end() Address   { return Address{s.Gen, s.Base + s.size} }
func (s *segment) kept() int64    { return s.size - s.Start }

// holds reports whether a is in the segment, or is its end.
func (s *segment) holds(a Address) bool {
	return a.Gen == s.Gen && a.Off >= s.Base+s.Start && a.Off <= s.Base+s.size
}

// print is a fingerprint of a few bytes of a file.
type print struct {
	Len int    `json:"len"`
	Sum uint64 `json:"sum,string"`
}

const (
	headLen   = 256 // bytes that tell one head from another
	anchorLen = 64  // bytes before the end that show that nobody has truncated the file
)

// printOf fingerprints at most n bytes at off; fewer where the file ends.
func printOf(f *os.File, off int64, n int) print {
	var room [headLen]byte
	got, _ := f.ReadAt(room[:n], off) // a short read is a short print
	h := fnv.New64a()
	h.Write(room[:got])
	return print{Len: got, Sum: h.Sum64()}
}

// printBefore fingerprints the bytes just before off, none of them before start.
func printBefore(f *os.File, off, start int64) print {
	n := min(off-start, anchorLen)
	return printOf(f, off-n, int(n))
}

// at reports whether the file still has those bytes at off.
func (p print) at(f *os.File, off int64) bool {
	return p.Len == 0 || p.Len <= headLen && off >= 0 && printOf(f, off, p.Len) == p
}
