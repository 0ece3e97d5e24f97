//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	lineLength = 120      // of a tiny server's
	writer     = "writer" // the server that floods
)

// flood is a log that a tiny server writes.
type flood struct {
	batch int64 // lines in one write(2)
	rate  int64 // bytes a second, 0 without a limit
}

// flooded is what one flood took.
type flooded struct {
	speed float64       // in MB/s
	used  time.Duration // of the processor, by the manager
	disk  float64       // MB, the most that the log occupied
	shown time.Duration // from the last write until the page shows it
	lost  error         // which lines are not in the file
}

func (b *bench) lines() int64 { return b.size.log / lineLength }

func lineNumber(n int64) string { return fmt.Sprintf("n%010d ", n) }

func speed(n note, lines int64) float64 {
	return float64(lines*lineLength) / megabyte / time.Duration(n.to-n.from).Seconds()
}

// floodLog is the flood into the log of a server, with a page that follows it.
func (b *bench) floodLog(ctx context.Context, f flood) (out flooded, err error) {
	r, err := b.newRig(func(bell *bell) []served {
		argv := b.tiny.argv("write", bell, writer, b.lines(), f.batch, f.rate)
		return []served{{writer, argv, fmt.Sprintf(", logs: {max_size: %dB}", b.size.keep)}}
	})
	if err != nil {
		return out, err
	}
	defer r.close()
	if err := r.serve(ctx); err != nil {
		return out, err
	}
	born, err := r.bell.expect(ctx, "born", writer)
	if err != nil {
		return out, r.trouble(err)
	}
	if _, err := r.running(ctx); err != nil {
		return out, err
	}
	r.api.Close()
	page, seen, err := browseLog(ctx, r.listen, writer, lineNumber(b.lines()-1))
	if err != nil {
		return out, r.trouble(err)
	}
	path := filepath.Join(r.data(), "logs", writer+".log")
	peak := occupy(path)
	out, err = r.pour(ctx, born.pid, seen)
	out.disk = peak() / megabyte
	if closed := page.close(); err == nil {
		err = closed
	}
	if err != nil {
		return out, r.trouble(err)
	}
	if err := r.stop(ctx); err != nil {
		return out, err
	}
	out.lost = consecutive(path, b.lines(), b.size.keep/2)
	return out, nil
}

// pour lets the server write, and returns when the page shows the end.
func (r *rig) pour(ctx context.Context, pid int, seen <-chan struct{}) (out flooded, err error) {
	before, err := processorTime(r.manager.pid)
	if err != nil {
		return out, err
	}
	if err := syscall.Kill(pid, syscall.SIGUSR1); err != nil {
		return out, err
	}
	written, err := r.bell.expect(ctx, "written", writer)
	if err != nil {
		return out, err
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-seen:
	case <-ctx.Done():
		return out, ctx.Err()
	case <-timer.C:
		return out, errors.New("the page does not show the last line")
	}
	out.shown = time.Duration(now() - written.to)
	after, err := processorTime(r.manager.pid)
	out.used, out.speed = after-before, speed(written, r.lines())
	return out, err
}

// floodByHand is the flood into a plain file.
func (b *bench) floodByHand(ctx context.Context, f flood) (float64, error) {
	bell, err := newBell(b.dir)
	if err != nil {
		return 0, err
	}
	defer bell.close()
	file, err := os.OpenFile(filepath.Join(b.dir, "plain"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return 0, err
	}
	defer os.Remove(file.Name()) //nolint:errcheck // it is in a temporary directory
	defer file.Close()
	argv := b.tiny.argv("write", bell, writer, b.lines(), f.batch, f.rate)
	hand, err := b.nursery.start(command{argv: argv, files: [3]*os.File{nil, file, nil}})
	if err != nil {
		return 0, err
	}
	defer hand.kill()
	if _, err := bell.expect(ctx, "born", writer); err != nil {
		return 0, err
	}
	if err := syscall.Kill(hand.pid, syscall.SIGUSR1); err != nil {
		return 0, err
	}
	written, err := bell.expect(ctx, "written", writer)
	return speed(written, b.lines()), err
}

// occupy watches how much of the disk a log takes, with the file that a
// rotation set aside. What it returns ends that, and tells the most.
func occupy(path string) func() float64 {
	var most float64
	end := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		for {
			var sum int64
			for _, name := range []string{path, path + ".1"} {
				var st unix.Stat_t
				if unix.Stat(name, &st) == nil {
					sum += st.Blocks * 512
				}
			}
			most = max(most, float64(sum))
			select {
			case <-tick.C:
			case <-end:
				return
			}
		}
	})
	return func() float64 {
		close(end)
		watching.Wait()
		return most
	}
}

// consecutive returns an error unless the file holds lines without a gap up to
// the last, and as many bytes of them as least. Its head may be a hole, and
// where that ends there may be the middle of a line, so one line is skipped.
func consecutive(path string, lines, least int64) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Seek(0, unix.SEEK_DATA); err != nil {
		return fmt.Errorf("find the first line: %w", err)
	}
	in := bufio.NewReaderSize(file, 1<<20)
	if _, err := in.ReadSlice('\n'); err != nil {
		return fmt.Errorf("find the first line: %w", err)
	}
	next, count := int64(-1), int64(0)
	for ; ; count++ {
		line, err := in.ReadSlice('\n')
		if err == io.EOF && len(line) == 0 {
			break
		}
		if err != nil || len(line) != lineLength {
			return fmt.Errorf("behind line %d comes %.40q (%v)", next-1, line, err)
		}
		if next < 0 {
			if next, err = strconv.ParseInt(string(line[1:11]), 10, 64); err != nil {
				return fmt.Errorf("the first line is %.40q", line)
			}
		}
		if !bytes.HasPrefix(line, []byte(lineNumber(next))) {
			return fmt.Errorf("where line %d is to be there is %.40q", next, line)
		}
		next++
	}
	if next != lines || count*lineLength < least {
		return fmt.Errorf("the file ends with line %d of %d and has %d", next, lines, count)
	}
	return nil
}
