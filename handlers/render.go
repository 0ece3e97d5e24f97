package handlers

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/a-h/templ"

	"tend/static"
)

// render writes a view: the whole of it or nothing, up to where a page flushes
// its head, so that the browser fetches what that names while the rest is made.
// A view that fails after that is cut off.
func (h *handler) render(w http.ResponseWriter, r *http.Request, status int, view templ.Component) error {
	out := output{ctx: r.Context(), to: w, status: status, mayPack: static.AcceptsGzip(r)}
	if rec, ok := w.(*recorder); ok && rec.place != nil {
		out.goOn = func() error { return rec.place.take(r.Context()) }
	}
	defer out.release()
	err := view.Render(r.Context(), &out)
	if err == nil {
		err = out.finish()
	}
	switch {
	case out.gone != nil:
		return nil // nobody waits for it any more
	case err != nil && out.begun:
		h.Log.Error("a page broke off", "path", r.URL.Path, "err", err)
		panic(http.ErrAbortHandler)
	}
	return err
}

// byHTMX reports whether a page asks that is there already, and puts the answer
// into itself.
func byHTMX(r *http.Request) bool { return r.Header.Get("HX-Request") == "true" }

// packFrom is from how many bytes on an answer is packed: a page of a thousand
// servers then takes a twentieth of its size in memory and on the way.
const packFrom = 16 << 10

// output collects an answer, packed where it is long and may be, and sends it.
type output struct {
	ctx     context.Context // of the request
	to      http.ResponseWriter
	status  int
	mayPack bool
	bytes   bytes.Buffer // what is to be sent
	pack    *gzip.Writer // nil as long as the bytes are plain
	begun   bool         // its beginning is sent
	paint   bool         // what is flushed next is to be painted
	goOn    func() error // called after that: to send takes the place in which the answer is made; or nil
	gone    error        // whoever asked has gone
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

// Write implements io.Writer.
func (o *output) Write(text []byte) (int, error) {
	if o.gone != nil {
		return 0, o.gone
	}
	if o.pack == nil && o.mayPack && o.bytes.Len()+len(text) > packFrom {
		if err := o.startPacking(); err != nil {
			return 0, err
		}
	}
	if o.pack != nil {
		return o.pack.Write(text)
	}
	return o.bytes.Write(text)
}

// paintTime is how long a browser has for itself when it has got something to
// show. One that gets the rest at once first reads that and runs the scripts,
// which takes longer: the first paint of a list of a thousand servers comes a
// quarter earlier with the pause, and its end no later.
const paintTime = 100 * time.Millisecond

// LetPaint has the next Flush wait for paintTime.
func (o *output) LetPaint() { o.paint = true }

// Flush implements http.Flusher: what was written so far is sent. Such an answer
// is long, and packed at once.
func (o *output) Flush() {
	if o.mayPack && o.pack == nil {
		if o.startPacking() != nil {
			return
		}
	}
	if o.pack != nil {
		o.pack.Flush() //nolint:errcheck // a buffer takes everything
	}
	if o.send() != nil {
		return
	}
	err := http.NewResponseController(o.to).Flush()
	if errors.Is(err, http.ErrNotSupported) { // it comes with the rest
		err = nil
	}
	if err == nil && o.paint {
		select {
		case <-time.After(paintTime):
		case <-o.ctx.Done():
			err = o.ctx.Err()
		}
	}
	o.paint = false
	if err == nil && o.goOn != nil {
		err = o.goOn()
	}
	o.gone = err
}

func (o *output) startPacking() error {
	plain := bytes.Clone(o.bytes.Bytes())
	o.bytes.Reset()
	o.pack = packers.Get().(*gzip.Writer)
	o.pack.Reset(&o.bytes)
	_, err := o.pack.Write(plain)
	return err
}

func (o *output) send() error {
	if !o.begun {
		o.begun = true
		head := o.to.Header()
		head.Set("Content-Type", "text/html; charset=utf-8")
		head.Set("Cache-Control", "no-store")
		head.Set("Vary", "Accept-Encoding")
		if o.pack != nil {
			head.Set("Content-Encoding", "gzip")
		}
		o.to.WriteHeader(o.status)
	}
	_, o.gone = o.to.Write(o.bytes.Bytes())
	o.bytes.Reset()
	return o.gone
}

func (o *output) finish() error {
	if o.pack != nil {
		if err := o.pack.Close(); err != nil {
			return err
		}
	}
	return o.send()
}

func (o *output) release() {
	if o.pack != nil {
		packers.Put(o.pack)
	}
}
