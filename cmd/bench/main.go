//go:build linux

// Command bench measures tend against the machine's own limits.
//
// Every figure is measured twice in the same run: through the real program
// with a real data directory, and by hand, by the fewest lines of Go that do
// the same (this program again, as `bench hand ROLE`). What is printed is the
// median of several repetitions and the ratio of the two. Where it is
// possible the repetitions of the two alternate, so that a noisy machine
// disturbs both.
//
// # Who is whose
//
// The nursery starts every process and takes in every orphan, as init would,
// so that nothing that is started here outlives the bench. A bell is a FIFO on
// which the tiny servers (testdata/tiny.c) report their first instruction. A
// rig is one manager in a directory of its own. A figure makes what it needs,
// measures, and puts rows into the table; it shares nothing with the others.
//
// # Soak
//
// `bench soak` measures nothing. It has one manager look after many servers that
// crash, flood their logs and are looked at by many browsers for some time, and
// finds out whether what the manager takes levels off, and whether what it tells
// is what happened, by the books that the servers keep themselves.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// figure is something to measure.
type figure struct {
	name    string
	measure func(ctx context.Context, b *bench) error
}

var figures = []figure{
	{"restart", measureRestart},
	{"start", measureStart},
	{"memory", measureMemory},
	{"idle", measureIdle},
	{"ports", measurePorts},
	{"logs", measureLogs},
	{"stop", measureStop},
	{"list", measureList},
	{"sampling", measureSampling},
	{"storm", measureStorm},
	{"chart", measureChart},
	{"page", measurePage},
	{"paint", measurePaint},
	{"pixels", measurePixels},
	{"biglog", measureBigLog},
	{"crowd", measureCrowd},
	{"lasting", measureLasting},
	{"aged", measureAged},
}

// bench is what all figures need.
type bench struct {
	nursery *nursery
	dir     string // removed at the end
	tend    string // the program that is measured
	self    string // this program
	tiny    tiny
	size    size
	ports   *ports
	table   *table
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "hand" {
		os.Exit(hand(os.Args[2], os.Args[3:]))
	}
	work := run
	if len(os.Args) > 1 && os.Args[1] == "soak" {
		os.Args, work = os.Args[1:], soak
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	missed, err := work(ctx, os.Args[1:], os.Stdout)
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "bench: interrupted; everything it started has ended")
		os.Exit(130)
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	case missed:
		os.Exit(1)
	}
}

// run measures what the arguments ask for, and reports whether a target was
// missed.
func run(ctx context.Context, args []string, out io.Writer) (missed bool, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	only := flags.String("only", "", "measure these `figures` alone, separated by commas: "+names())
	quick := flags.Bool("quick", false, "small sizes, to see whether it works; the targets are for the full ones")
	program := flags.String("tend", "", "the tend `program` to measure (default: built from this module)")
	aged := flags.Duration("aged", 0, "`how long` the figures aged and lasting wait, where not as long as usual")
	dir := flags.String("dir", "", "an existing `directory` in which to make the temporary one; its file system is measured, too")
	if err := flags.Parse(args); err != nil {
		return false, flag.ErrHelp // it has been told
	}
	chosen, err := choose(*only)
	if err != nil {
		return false, err
	}
	b := &bench{size: full, ports: newPorts(), tend: *program, table: newTable(out)}
	if *quick {
		b.size = small
	}
	if *aged > 0 {
		b.size.aged = *aged
	}
	defer b.close()
	if err := b.prepare(ctx, *dir); err != nil {
		return false, err
	}
	fmt.Fprint(out, describeMachine(b))
	b.table.head()
	for _, f := range chosen {
		if err := f.measure(ctx, b); err != nil {
			return false, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	b.table.foot()
	return b.table.missed > 0, nil
}

// prepare makes a directory, the nursery and the programs. close has to follow,
// also after an error.
func (b *bench) prepare(ctx context.Context, dir string) (err error) {
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp(dir, "tend-bench-"); err != nil {
		return err
	}
	if b.dir, err = filepath.Abs(b.dir); err != nil {
		return err
	}
	if b.nursery, err = newNursery(); err != nil {
		return err
	}
	return b.build(ctx)
}

func (b *bench) close() {
	if b.nursery != nil {
		b.nursery.close()
	}
	if b.dir != "" {
		os.RemoveAll(b.dir) //nolint:errcheck // it is a temporary directory
	}
}

// build makes the programs that are measured, where they are not given.
func (b *bench) build(ctx context.Context) (err error) {
	if b.tend == "" {
		b.tend = filepath.Join(b.dir, "tend")
		if err := b.nursery.do(ctx, "go", "build", "-trimpath", "-o", b.tend, "tend/cmd/tend"); err != nil {
			return err
		}
	}
	if b.tend, err = filepath.Abs(b.tend); err != nil {
		return err
	}
	b.tiny, err = makeTiny(ctx, b.nursery, b.dir)
	return err
}

func choose(list string) ([]figure, error) {
	if list == "" {
		return figures, nil
	}
	var out []figure
next:
	for name := range strings.SplitSeq(list, ",") {
		for _, f := range figures {
			if f.name == name {
				out = append(out, f)
				continue next
			}
		}
		return nil, fmt.Errorf("there is no figure %q: choose from %s", name, names())
	}
	return out, nil
}

func names() string {
	var out []string
	for _, f := range figures {
		out = append(out, f.name)
	}
	return strings.Join(out, ", ")
}
