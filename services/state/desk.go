package state

import (
	"sync"

	"tend/services"
)

// desk is where notes for the writer are left, and where it says how far it
// has come. It is data only; every method returns at once.
type desk struct {
	mu      sync.Mutex                  // guards what follows
	changed map[string]*services.Record // since the last take; nil: forget it
	wants   map[string]services.Want    // the latest
	clean   bool
	durable bool   // what changed has to be synced
	put     uint64 // counts changes

	written uint64        // changes up to this one are in the file
	tries   uint64        // attempts to write that have ended
	failed  error         // how the latest one ended
	ended   chan struct{} // closed by the end of the next attempt
}

// notes is what the writer takes from the desk.
type notes struct {
	changed map[string]*services.Record
	clean   bool
	durable bool
	upTo    uint64
}

func newDesk(doc document, fresh bool) *desk {
	d := &desk{
		changed: make(map[string]*services.Record),
		wants:   make(map[string]services.Want, len(doc.Servers)),
		clean:   doc.Clean,
		ended:   make(chan struct{}),
	}
	for _, rec := range doc.Servers {
		d.wants[rec.Name] = rec.Want
	}
	if fresh { // there is no file: the first one is due
		d.put, d.durable = 1, true
	}
	return d
}

func (d *desk) record(rec services.Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.wants[rec.Name] != rec.Want {
		d.wants[rec.Name] = rec.Want
		d.durable = true
	}
	d.changed[rec.Name] = &rec
	d.put++
}

func (d *desk) forget(name string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, known := d.wants[name]; !known {
		return
	}
	delete(d.wants, name)
	d.changed[name] = nil
	d.durable = true
	d.put++
}

func (d *desk) setClean(clean bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.clean == clean {
		return
	}
	d.clean = clean
	d.durable = true
	d.put++
}

// take hands everything over to the writer; false when there is nothing new
// since the last attempt that succeeded.
func (d *desk) take() (notes, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.put == d.written {
		return notes{}, false
	}
	n := notes{changed: d.changed, clean: d.clean, durable: d.durable, upTo: d.put}
	d.changed, d.durable = make(map[string]*services.Record), false
	return n, true
}

// tried notes the end of an attempt to write all changes up to the given one.
func (d *desk) tried(upTo uint64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		d.written = upTo
	}
	d.tries++
	d.failed = err
	close(d.ended)
	d.ended = make(chan struct{})
}

// progress is what a waiter looks at.
type progress struct {
	put, written, tries uint64
	failed              error
	ended               <-chan struct{}
}

func (d *desk) progress() progress {
	d.mu.Lock()
	defer d.mu.Unlock()
	return progress{put: d.put, written: d.written, tries: d.tries, failed: d.failed, ended: d.ended}
}
