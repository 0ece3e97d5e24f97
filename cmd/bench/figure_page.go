//go:build linux

package main

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"tend/services"
)

// measurePage asks for the overview of all servers as a browser does, and for
// everything that it needs beside the page.
func measurePage(ctx context.Context, b *bench) error {
	r, err := b.newRig(b.plainServers(b.size.servers))
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.serve(ctx); err != nil {
		return err
	}
	if err := r.quiet(ctx); err != nil {
		return err
	}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableCompression: true}} // we unpack ourselves, to see the size
	defer client.CloseIdleConnections()
	var took samples
	var page fetched
	for range b.size.gets {
		if page, err = fetchPacked(ctx, client, "http://"+r.listen+"/"); err != nil {
			return err
		}
		took.ms(page.took)
	}
	b.table.add(row{
		what: fmt.Sprintf("GET /, %d servers, to the first byte", r.servers), unit: "ms", ours: took, tail: true, target: "<= 15 ms",
		met:   func(r row) bool { return r.ours.median() <= 15 },
		notes: []string{fmt.Sprintf("%.0f kB of HTML", float64(len(page.text))/1e3)},
	})
	b.table.add(row{
		what: fmt.Sprintf("size of that page, packed, servers: %d", r.servers), unit: "kB", ours: samples{float64(page.size) / 1e3}, target: "<= 90 kB",
		met: func(r row) bool { return r.ours.median() <= 90 },
	})
	sum := 0
	for _, link := range assets.FindAllStringSubmatch(page.text, -1) {
		asset, err := fetchPacked(ctx, client, "http://"+r.listen+link[1])
		if err != nil {
			return err
		}
		sum += asset.size
	}
	b.table.add(row{
		what: "all styles and scripts of a page, packed", unit: "kB", ours: samples{float64(sum) / 1e3}, target: "<= 60 kB",
		met: func(r row) bool { return r.ours.median() <= 60 },
	})
	return r.stop(ctx)
}

var assets = regexp.MustCompile(`(?:src|href)="(/static/[^"]+\.(?:css|js))"`)

// fetched is an answer.
type fetched struct {
	took time.Duration // to the first byte
	size int           // as it came
	text string
}

func fetchPacked(ctx context.Context, client *http.Client, url string) (f fetched, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return f, err
	}
	req.Header.Set("Accept-Encoding", "gzip")
	from := now()
	res, err := client.Do(req)
	if err != nil {
		return f, err
	}
	defer res.Body.Close()
	f.took = time.Duration(now() - from)
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return f, err
	}
	if res.StatusCode != http.StatusOK {
		return f, fmt.Errorf("%s answers %s", url, res.Status)
	}
	f.size, f.text = len(body), string(body)
	if res.Header.Get("Content-Encoding") != "gzip" {
		return f, nil
	}
	packed, err := gzip.NewReader(strings.NewReader(f.text))
	if err != nil {
		return f, err
	}
	body, err = io.ReadAll(packed)
	f.text = string(body)
	return f, err
}

// measureCrowd opens many pages on all servers while their states change, and
// reads what the manager uses for that.
func measureCrowd(ctx context.Context, b *bench) error {
	r, err := b.newRig(func(bell *bell) []served {
		argv := []string{b.self, "hand", "storm", fmt.Sprint(b.size.changes * 3600), fmt.Sprint(b.size.changes)}
		return append(b.plainServers(b.size.servers)(bell), served{stormServer, argv, ", autostart: false, restart: never, ready: {notify: true}"})
	})
	if err != nil {
		return err
	}
	defer r.close()
	r.servers--
	if err := r.serve(ctx); err != nil {
		return err
	}
	if _, err := r.bell.gather(ctx, r.servers, "born"); err != nil {
		return r.trouble(err)
	}
	for range b.size.pages {
		w, err := browseOverview(ctx, r.listen)
		if err != nil {
			return r.trouble(err)
		}
		defer w.close() //nolint:errcheck // the manager ends before it
	}
	if _, err := r.api.Do(ctx, services.Order{Action: services.Start, Servers: []string{stormServer}}); err != nil {
		return r.trouble(err)
	}
	used, err := b.load(ctx, b.size.windows, r.manager.pid)
	if err != nil {
		return err
	}
	b.table.add(b.loadRow(fmt.Sprintf("processor, %d pages open, %d changes a second", b.size.pages, b.size.changes), used[0], nil, 30))
	return r.stop(ctx)
}
