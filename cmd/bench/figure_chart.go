//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http"
	"path/filepath"
	"time"

	"tend/services"
	"tend/services/history"
)

// measureChart asks for the page of a server that has a day behind it, and for
// the same page of one that has nothing to draw.
func measureChart(ctx context.Context, b *bench) error {
	r, err := b.newRig(b.plainServers(2))
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.serve(ctx); err != nil { // makes the data directory
		return err
	}
	if err := r.stop(ctx); err != nil {
		return err
	}
	if err := r.live(ctx, "s0000", 24*time.Hour); err != nil {
		return err
	}
	if err := r.serve(ctx); err != nil {
		return err
	}
	if _, err := r.running(ctx); err != nil {
		return err
	}
	var drawn, empty samples
	bytes := make(map[string]int64)
	client := http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	for range b.size.gets {
		for name, into := range map[string]*samples{"s0000": &drawn, "s0001": &empty} {
			took, size, err := load(ctx, &client, fmt.Sprintf("http://%s/servers/%s?range=24h", r.listen, name))
			if err != nil {
				return err
			}
			into.ms(took)
			bytes[name] = size
		}
	}
	b.table.add(row{
		what: "server page with the charts of a day", unit: "ms", ours: drawn, hand: empty, tail: true, target: "median <= 5 ms",
		met:   func(r row) bool { return r.ours.median() <= 5 },
		notes: []string{fmt.Sprintf("%d kB; by hand: the same page of a server without a past, %d kB", bytes["s0000"]>>10, bytes["s0001"]>>10)},
	})
	return r.stop(ctx)
}

// live writes the history of a server that has lived so long.
func (r *rig) live(ctx context.Context, server string, age time.Duration) error {
	now := time.Now()
	for at := now.Add(-age); at.Before(now); at = at.Add(sitting) {
		if err := r.sit(ctx, server, at, min(sitting, now.Sub(at))); err != nil {
			return err
		}
	}
	return nil
}

// sitting is a span whose samples history takes at once: as many as it keeps
// waiting, and some to spare.
const sitting = 10 * time.Minute

// sit writes what was measured in one sitting.
func (r *rig) sit(ctx context.Context, server string, from time.Time, length time.Duration) error {
	store, err := history.Open(history.Options{Path: filepath.Join(r.data(), history.FileName)})
	if err != nil {
		return err
	}
	for at := from; at.Before(from.Add(length)); at = at.Add(sampling) {
		wave := math.Sin(float64(at.Unix()) / 3000)
		store.Sample(server, services.Sample{
			At: services.Time{Time: at}, State: services.VigourUp, CPU: 40 + 30*wave, Memory: services.Amount(2e8 + 1e8*wave),
			Processes: 4, Threads: 12, Files: 30, Read: services.Amount(1e5 * (1 + wave)), Write: services.Amount(2e5 * (1 - wave)),
		})
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel() // it writes what it has
	return store.Run(ctx)
}

// load gets a page and returns how long that took, and its bytes.
func load(ctx context.Context, client *http.Client, url string) (took time.Duration, size int64, err error) {
	from := now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, 0, err
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer res.Body.Close()
	if size, err = io.Copy(io.Discard, res.Body); err != nil {
		return 0, 0, err
	}
	if res.StatusCode != http.StatusOK {
		return 0, 0, fmt.Errorf("%s answers %s", url, res.Status)
	}
	return time.Duration(now() - from), size, nil
}
