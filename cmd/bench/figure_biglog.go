//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
)

const needle = "needle in the hay"

// scrollScript scrolls a log up, window after window, and returns how many
// lines it has had in view; it fails when they do not come.
const scrollScript = `(async (windows) => {
	const screen = document.querySelector("#log-screen"), frame = () => new Promise((done) => requestAnimationFrame(done));
	let seen = 0, first = "";
	for (let tries = 0; seen < windows && tries < 20000; tries++) {
		screen.scrollTop = 0;
		await frame();
		const top = screen.querySelector(".l[id]").id;
		if (top !== first) { first = top; seen++; }
		else await new Promise((done) => setTimeout(done, 5));
	}
	if (seen < windows) throw new Error("only " + seen + " windows came");
	return screen.childElementCount;
})`

// measureBigLog reads a log of a gigabyte in a page: scrolls in it, searches
// it, and sees what that makes the page and the manager take.
func measureBigLog(ctx context.Context, b *bench) error {
	r, err := b.newRig(func(bell *bell) []served {
		return []served{{writer, b.tiny.argv("stamp", bell, writer), fmt.Sprintf(", autostart: false, logs: {max_size: %dB}", 2*b.size.bigLog)}}
	})
	if err != nil {
		return err
	}
	defer r.close()
	if err := writeBigLog(filepath.Join(r.data(), "logs", writer+".log"), b.size.bigLog); err != nil {
		return err
	}
	if err := r.serve(ctx); err != nil {
		return err
	}
	e, err := b.newEyes(ctx)
	if err != nil {
		return err
	}
	defer e.close()
	v, err := e.open("http://" + r.listen + "/servers/" + writer + "/logs")
	if err != nil {
		return err
	}
	defer v.end()
	if err := v.wait(`document.querySelectorAll("#log-screen .l").length > 100`); err != nil {
		return err
	}
	if _, err := ask[int](v, scrollScript+"(10)"); err != nil { // it has as many lines as it ever has
		return err
	}
	manager, err := pss(r.manager.pid)
	if err != nil {
		return err
	}
	before, err := v.held()
	if err != nil {
		return err
	}
	lines, err := ask[int](v, scrollScript+fmt.Sprintf("(%d)", b.size.scrolls))
	if err != nil {
		return err
	}
	from := now()
	if _, err := ask[bool](v, fmt.Sprintf(`(document.querySelector("#log-search").value = %q, document.querySelector("#log-go").click(), true)`, needle)); err != nil {
		return err
	}
	if err := v.wait(`document.querySelector("#log-hits").textContent === "Found 1 line." && document.querySelector(".l-at .hit")`); err != nil {
		return err
	}
	took := float64(now()-from) / 1e9
	after, err := v.held()
	if err != nil {
		return err
	}
	grown, err := pss(r.manager.pid)
	if err != nil {
		return err
	}
	size := float64(b.size.bigLog) / megabyte
	b.table.add(row{
		what: fmt.Sprintf("log of %.0f MB, the page after %d windows and a search", size, b.size.scrolls), unit: "MB", ours: samples{after.heap}, hand: samples{before.heap},
		target: "<= 1.5 x before", met: func(r row) bool { return r.ratio() <= 1.5 },
		notes: []string{fmt.Sprintf("by hand: the page before; it holds %d lines; %d nodes before, %d after", lines, before.nodes, after.nodes)},
	})
	b.table.add(row{
		what: "  what the manager takes more by that", unit: "MB", ours: samples{(grown - manager) / megabyte}, target: "<= 16 MB",
		met: func(r row) bool { return r.ours.median() <= 16 },
	})
	b.table.add(row{
		what: "  search of all of it for one line", unit: "MB/s", ours: samples{size / took}, target: ">= 100 MB/s",
		met: func(r row) bool { return r.ours.median() >= 100 },
	})
	return r.stop(ctx)
}

// writeBigLog writes lines of which one, in the middle, is looked for.
func writeBigLog(path string, size int64) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := os.Chmod(filepath.Dir(filepath.Dir(path)), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	out := bufio.NewWriterSize(f, 1<<20)
	found := false
	for at, i := int64(0), 0; at < size; i++ {
		text := "GET /orders HTTP/1.1 200 in 12 ms, from the cache"
		if !found && at > size/2 {
			found, text = true, needle
		}
		n, err := fmt.Fprintf(out, "2026-01-02T15:04:05Z INFO request %09d %s\n", i, text)
		if err != nil {
			return err
		}
		at += int64(n)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return f.Close()
}
