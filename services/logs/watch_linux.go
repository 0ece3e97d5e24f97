package logs

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// watcher tells when something was written to a file that had been quiet. A
// watch is used up by its first event: one that stays would make each write of
// the server half as slow again.
type watcher struct {
	file   *os.File
	news   chan []int // ids of watches that fired
	ending chan struct{}
	ended  chan struct{}
}

// newWatcher starts a goroutine that close waits for.
func newWatcher() (*watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("watching logs: %w", err)
	}
	w := &watcher{
		file: os.NewFile(uintptr(fd), "inotify"), news: make(chan []int),
		ending: make(chan struct{}), ended: make(chan struct{}),
	}
	go w.read()
	return w, nil
}

// arm watches the file until its next change and returns the watch's id.
func (w *watcher) arm(file *os.File) (id int, err error) {
	err = onFile(w.file, func(fd int) error {
		return onFile(file, func(log int) (err error) {
			id, err = unix.InotifyAddWatch(fd, "/proc/self/fd/"+strconv.Itoa(log),
				unix.IN_MODIFY|unix.IN_ATTRIB|unix.IN_MOVE_SELF|unix.IN_ONESHOT)
			return err
		})
	})
	return id, err
}

// close ends the goroutine and waits for it.
func (w *watcher) close() {
	close(w.ending)
	_ = w.file.Close() // wakes read
	<-w.ended
}

func (w *watcher) read() {
	defer close(w.ended)
	buf := make([]byte, 16<<10)
	for {
		n, err := w.file.Read(buf)
		if err != nil {
			return // closed
		}
		var ids []int
		for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			mask, name := binary.NativeEndian.Uint32(b[4:]), binary.NativeEndian.Uint32(b[12:])
			switch {
			case mask&unix.IN_Q_OVERFLOW != 0:
				ids = append(ids, -1)
			case mask&unix.IN_IGNORED == 0:
				ids = append(ids, int(int32(binary.NativeEndian.Uint32(b))))
			}
			b = b[min(len(b), unix.SizeofInotifyEvent+int(name)):]
		}
		select {
		case w.news <- ids:
		case <-w.ending:
			return
		}
	}
}
