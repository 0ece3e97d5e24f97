package handlers

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"sync"

	"github.com/a-h/templ"

	"tend/static"
)

// render writes a whole view or nothing of it.
func (h *handler) render(w http.ResponseWriter, r *http.Request, status int, view templ.Component) error {
	out := output{mayPack: static.AcceptsGzip(r)}
	defer out.release()
	if err := view.Render(r.Context(), &out); err != nil {
		return err
	}
	if err := out.finish(); err != nil {
		return err
	}
	head := w.Header()
	head.Set("Content-Type", "text/html; charset=utf-8")
	head.Set("Cache-Control", "no-store")
	head.Set("Vary", "Accept-Encoding")
	if out.pack != nil {
		head.Set("Content-Encoding", "gzip")
	}
	w.WriteHeader(status)
	w.Write(out.bytes.Bytes()) //nolint:errcheck // whoever asked has gone
	return nil
}

// packFrom is from how many bytes on an answer is packed: a page of a thousand
// servers then takes a twentieth of its size in memory and on the way.
const packFrom = 16 << 10

// output collects an answer, packed where it is long and may be.
type output struct {
	mayPack bool
	bytes   bytes.Buffer
	pack    *gzip.Writer // nil as long as the bytes are plain
}

// packLevel makes the list of a thousand servers a third smaller than the
// lowest level does, in a few milliseconds more.
const packLevel = 4

// packers are reused: each takes more memory than most pages.
var packers = sync.Pool{New: func() any {
	packer, err := gzip.NewWriterLevel(nil, packLevel)
	if err != nil {
		panic(err) // the level is one
	}
	return packer
}}

func (o *output) Write(text []byte) (int, error) {
	if o.pack != nil {
		return o.pack.Write(text)
	}
	if o.mayPack && o.bytes.Len()+len(text) > packFrom {
		plain := bytes.Clone(o.bytes.Bytes())
		o.bytes.Reset()
		o.pack = packers.Get().(*gzip.Writer)
		o.pack.Reset(&o.bytes)
		if _, err := o.pack.Write(plain); err != nil {
			return 0, err
		}
		return o.pack.Write(text)
	}
	return o.bytes.Write(text)
}

func (o *output) finish() error {
	if o.pack == nil {
		return nil
	}
	return o.pack.Close()
}

func (o *output) release() {
	if o.pack != nil {
		packers.Put(o.pack)
	}
}
