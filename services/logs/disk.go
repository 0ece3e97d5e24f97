package logs

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"tend/services"
)

const (
	scarce  = 64 << 20 // free bytes below which logs give way, or a twentieth of a small disk
	floor   = 64 << 10 // what each log keeps in any case
	repeats = time.Minute
)

// disk gives space back when there is hardly any left. It belongs to the
// keeper's goroutine.
type disk struct {
	store *Store
	told  time.Time
	full  bool // and somebody was told
}

// check frees the logs that were written to longest ago first, until twice the
// scarce amount is free.
func (d *disk) check() {
	o := d.store.options
	free, total, err := o.free(o.Dir)
	limit := min(uint64(scarce), total/20)
	if d.full && err == nil && free >= 2*limit {
		d.full = false
		d.store.options.Report(services.Event{Kind: services.EventDisk, Resolve: true, Message: "The disk of the logs has room again."})
	}
	if err != nil || free >= limit {
		return
	}
	var freed int64
	var names []string
	for _, l := range d.oldest() {
		n := l.shrink(int64(2*limit - free))
		if n > 0 {
			freed += n
			names = append(names, l.name)
		}
		if free, _, err = o.free(o.Dir); err != nil || free >= 2*limit {
			break
		}
	}
	if freed == 0 && time.Since(d.told) < repeats {
		return
	}
	d.told, d.full = time.Now(), true
	d.tell(freed, names)
}

// spares reports whether a log may have so many bytes, and space is not scarce
// after that.
func (d *disk) spares(n int64) bool {
	free, total, err := d.store.options.free(d.store.options.Dir)
	return err == nil && free > uint64(n)+2*min(scarce, total/20)
}

func (d *disk) tell(freed int64, names []string) {
	message := "The disk of the logs is nearly full, and no log has anything left to give: what servers write will be lost."
	server := ""
	if freed > 0 {
		if len(names) == 1 {
			server = names[0]
		}
		message = fmt.Sprintf("The disk of the logs is nearly full: %d MB of the oldest output were freed, of %s.",
			(freed+1<<20-1)>>20, strings.Join(names, ", "))
	}
	d.store.options.Report(services.Event{Kind: services.EventDisk, Server: server, Message: message})
}

// oldest returns every log in the directory, also of servers that are no
// longer configured, the one that was written to longest ago first.
func (d *disk) oldest() []*log {
	entries, err := os.ReadDir(d.store.options.Dir)
	if err != nil {
		d.store.options.Log.Warn("cannot list the logs", "err", err)
	}
	type aged struct {
		*log
		at time.Time
	}
	var list []aged
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".log")
		if !ok {
			continue
		}
		if l, err := d.store.log(name); err == nil {
			at, kept := l.lastWritten()
			if kept > floor {
				list = append(list, aged{l, at})
			}
		}
	}
	slices.SortFunc(list, func(a, b aged) int { return a.at.Compare(b.at) })
	out := make([]*log, len(list))
	for i, a := range list {
		out[i] = a.log
	}
	return out
}

// shrink frees up to n bytes, all but the floor, and returns how many.
func (l *log) shrink(n int64) (freed int64) {
	for {
		l.mu.Lock()
		var got int64
		var err error
		switch able := l.way != none && l.cur.file != nil && !l.unowned(); {
		case l.old != nil && freed < n:
			got = l.old.kept()
			err = l.dropOld()
		case able && freed < n:
			got, err = l.free(min(n-freed+floor, l.cur.kept()-floor))
		}
		l.warn(notSmall, err)
		l.unlock()
		if got <= 0 || err != nil {
			l.retain(0) // no holes in a file that nobody may write to again
			return freed
		}
		freed += got
	}
}
