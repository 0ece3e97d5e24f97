//go:build linux

package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"tend/services"
)

// soaking is one soak.
type soaking struct {
	*rig
	servers  int
	browsers int
	length   time.Duration
	books    string // directory
	names    []string

	mu     sync.Mutex // guards what follows
	told   map[string][]int
	others []string // events that nobody should have seen
	kept   []kept
}

// kept is how large the database was when so many crashes had been told.
type kept struct {
	size    float64
	crashes int
}

// mostKept is what the database may keep of a crash, in bytes: the events of
// the end and of the next start, and the run with its last lines. It keeps that
// for at least an hour, so that it grows with what happens, and only with that.
const mostKept = 8 << 10

// soak is run for as long as the arguments say; it reports whether something
// was not as it has to be.
func soak(ctx context.Context, args []string, out io.Writer) (failed bool, err error) {
	flags := flag.NewFlagSet("bench soak", flag.ContinueOnError)
	length := flags.Duration("for", 10*time.Minute, "how `long`")
	servers := flags.Int("servers", 500, "how many servers")
	browsers := flags.Int("browsers", 50, "how many browsers")
	mean := flags.Duration("crash", time.Minute, "how `long` a server lives on the average")
	program := flags.String("tend", "", "the tend `program` (default: built from this module)")
	if flags.Parse(args) != nil {
		return false, flag.ErrHelp // it has been told
	}
	b := &bench{ports: newPorts(), tend: *program}
	defer b.close()
	if err := b.prepare(ctx, ""); err != nil {
		return false, err
	}
	s := &soaking{servers: *servers, browsers: *browsers, length: *length, books: filepath.Join(b.dir, "books"), told: map[string][]int{}}
	if err := os.Mkdir(s.books, 0o700); err != nil {
		return false, err
	}
	ports, err := b.ports.free(s.servers)
	if err != nil {
		return false, err
	}
	calm := time.Now().Add(s.length)
	s.rig, err = b.newRig(func(*bell) (list []served) {
		for i := range s.servers {
			name, mood := fmt.Sprintf("s%03d", i), "calm"
			if i%25 == 0 {
				mood = "flood"
			}
			argv := []string{b.self, "hand", "soak", s.books, name, fmt.Sprint(ports[i]), fmt.Sprint(calm.UnixMilli()), fmt.Sprintf("%.0f", mean.Seconds()), mood}
			rest := fmt.Sprintf(", port: %d", ports[i])
			if i%5 == 0 {
				rest += fmt.Sprintf(", live: {tcp: \"127.0.0.1:%d\", interval: 2s, timeout: 10s, failures: 6, action: alert}", ports[i])
			}
			s.names = append(s.names, name)
			list = append(list, served{name, argv, rest})
		}
		return list
	}, "defaults: {backoff: {min: 50ms, max: 200ms}, logs: {max_size: 4MB}}\n")
	if err != nil {
		return false, err
	}
	defer s.close()
	fmt.Fprintf(out, "%d servers that live %v on the average, %d browsers, %v\n", s.servers, *mean, s.browsers, s.length)
	gauges := newGauges()
	if err := s.run(ctx, calm, gauges); err != nil {
		return false, err
	}
	well := reportGauges(out, gauges)
	wrong, err := s.check(ctx)
	if err != nil {
		return false, err
	}
	crashes := s.crashes()
	first, last := s.kept[len(s.kept)/3], s.kept[len(s.kept)-1]
	each := (last.size - first.size) / float64(last.crashes-first.crashes)
	well = well && each <= mostKept
	fmt.Fprintf(out, "database: %s at the end, %.0f bytes more for each crash (at most %d): %s\n", value(last.size/megabyte, "MB"), each, mostKept, verdictOf(each <= mostKept))
	fmt.Fprintf(out, "%d crashes, each told once with its exit code, and none that was not; one instance of each server: %s\n", crashes, verdictOf(len(wrong) == 0))
	for _, text := range wrong[:min(len(wrong), 20)] {
		fmt.Fprintln(out, "   ", text)
	}
	return !well || len(wrong) > 0, s.stop(ctx)
}

// crashes is how many have been told.
func (s *soaking) crashes() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, codes := range s.told {
		n += len(codes)
	}
	return n
}

func verdictOf(well bool) string {
	if well {
		return "ok"
	}
	return "WRONG"
}

// run lets it all happen until the servers are calm.
func (s *soaking) run(ctx context.Context, calm time.Time, gauges []*gauge) error {
	if err := s.serve(ctx); err != nil {
		return err
	}
	ctx, over := context.WithCancel(ctx)
	var others sync.WaitGroup
	defer others.Wait()
	defer over()
	others.Go(func() { s.note(ctx) })
	crowd, err := s.crowd(ctx)
	if err != nil {
		return err
	}
	tick := time.NewTicker(max(time.Second, s.length/240))
	defer tick.Stop()
	for time.Now().Before(calm) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := s.lookAtGauges(ctx, gauges); err != nil {
			return s.trouble(err)
		}
		info, err := os.Stat(s.database())
		if err != nil {
			return err
		}
		s.kept = append(s.kept, kept{float64(info.Size()), s.crashes()})
	}
	for _, w := range crowd {
		if err := w.close(); err != nil {
			return s.trouble(err)
		}
	}
	if _, err := s.until(ctx, "all servers run and are well", func(st services.Status) bool {
		return st.Phase == services.Running && st.Healthy != nil && *st.Healthy
	}); err != nil {
		return err
	}
	return s.heardAll(ctx)
}

// crowd opens the browsers: most read as fast as they can, every fifth slowly,
// and every tenth goes away and comes back.
func (s *soaking) crowd(ctx context.Context) (list []*browser, err error) {
	for i := range s.browsers {
		manner := fast
		switch {
		case i%10 == 3:
			manner = restless
		case i%5 == 0:
			manner = slow
		}
		w, err := browse(ctx, s.rig.listen, manner)
		if err != nil {
			return list, s.trouble(err)
		}
		list = append(list, w)
	}
	return list, nil
}

// note notes each exit that the manager tells of.
func (s *soaking) note(ctx context.Context) {
	first := true
	for e, err := range s.api.Watch(ctx, 0) {
		if ctx.Err() != nil {
			return
		}
		if e.Kind == services.EventReset && first {
			first = false
			continue // 0 is a position in the life of no manager: what follows is all that this one has told
		}
		s.mu.Lock()
		switch {
		case err != nil:
			s.others = append(s.others, err.Error())
		case e.Kind == services.EventExited && e.Crash && e.Status != nil && e.Status.Exit != nil:
			s.told[e.Server] = append(s.told[e.Server], e.Status.Exit.Code)
		case e.Kind == services.EventExited, e.Kind == services.EventReset, e.Kind == services.EventFailed:
			s.others = append(s.others, fmt.Sprintf("%s: %s", e.Kind, e.Message))
		}
		s.mu.Unlock()
	}
}

// heardAll waits until what has happened has been told; a crash that is not by
// then is missing.
func (s *soaking) heardAll(ctx context.Context) error {
	deadline := time.NewTimer(5 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		missing := 0
		for _, name := range s.names {
			_, _, crashes, err := readBook(s.books, name)
			if err != nil {
				return err
			}
			s.mu.Lock()
			missing += len(crashes) - len(s.told[name])
			s.mu.Unlock()
		}
		if missing == 0 {
			return nil
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// check compares what the manager has told with the books of the servers, and
// who it says runs with who does.
func (s *soaking) check(ctx context.Context) (wrong []string, err error) {
	list, err := s.api.List(ctx)
	if err != nil {
		return nil, err
	}
	living := soakers(s.books)
	s.mu.Lock()
	defer s.mu.Unlock()
	wrong = slices.Clone(s.others)
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for _, st := range list {
		last, born, crashes, err := readBook(s.books, st.Name)
		if err != nil {
			return nil, err
		}
		var codes []int
		for _, c := range crashes {
			codes = append(codes, c.code)
		}
		if !slices.Equal(codes, s.told[st.Name]) {
			say("%s crashed with the codes %v, but told was %v", st.Name, codes, s.told[st.Name])
		}
		if born != len(crashes)+1 || st.Restarts != len(crashes) {
			say("%s was born %d times, crashed %d times, and was restarted %d times", st.Name, born, len(crashes), st.Restarts)
		}
		if pids := living[st.Name]; !slices.Equal(pids, []int{last}) || int(st.PID) != last {
			say("%s: pids %v are alive, %d was born last, the manager says %d", st.Name, pids, last, st.PID)
		}
	}
	if text, err := os.ReadFile(s.stderr.Name()); err == nil {
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "level=ERROR") {
				say("the manager said: %s", strings.TrimSpace(line))
			}
		}
	}
	return wrong, nil
}
