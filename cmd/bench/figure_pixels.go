//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"

	"tend/services"
)

// pixelScript tells, in milliseconds since 1970, when a row was painted in
// another state.
const pixelScript = `new Promise((done) => {
	const row = document.getElementById("server-%s"), was = row.dataset.kind;
	const watch = new MutationObserver(() => {
		if (row.isConnected && row.dataset.kind === was) return;
		watch.disconnect();
		requestAnimationFrame(() => {
			const after = new MessageChannel();
			after.port1.onmessage = () => done(performance.timeOrigin + performance.now());
			after.port2.postMessage(0);
		});
	});
	watch.observe(row.closest("table"), { subtree: true, childList: true, attributes: true, attributeFilter: ["data-rev"] });
	window.watching = %q;
})`

// measurePixels kills servers and sees how soon an open page shows it.
func measurePixels(ctx context.Context, b *bench) error {
	r, err := b.newRig(func(bell *bell) (list []served) {
		for i := range b.size.servers {
			name := fmt.Sprintf("s%04d", i)
			list = append(list, served{name, b.tiny.argv("stamp", bell, name), ", restart: always, backoff: {min: 1h, max: 1h}"})
		}
		return list
	})
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.serve(ctx); err != nil {
		return err
	}
	notes, err := r.bell.gather(ctx, r.servers, "born")
	if err != nil {
		return r.trouble(err)
	}
	if _, err := r.running(ctx); err != nil {
		return err
	}
	e, err := b.newEyes(ctx)
	if err != nil {
		return err
	}
	defer e.close()
	v, err := e.open("http://" + r.listen + "/")
	if err != nil {
		return err
	}
	defer v.end()
	if err := v.wait(`document.querySelector("#link").dataset.link === "open"`); err != nil {
		return err
	}
	pids := byTag(notes)
	var took samples
	for i := range min(b.size.crashes, r.servers) {
		name := fmt.Sprintf("s%04d", i)
		at, err := v.crash(name, pids[name].pid)
		if err != nil {
			return err
		}
		took.add(at)
		if i > 0 {
			continue
		}
		took = nil // the first one warms the page up
	}
	b.table.add(row{
		what: fmt.Sprintf("a crash to the pixels of an open page, %d servers", r.servers), unit: "ms", ours: took, tail: true, target: "median <= 60 ms",
		met: func(r row) bool { return r.ours.median() <= 60 },
	})
	return r.stop(ctx)
}

// crash kills a server and returns after how many milliseconds its row is
// painted in another state.
func (v *view) crash(name string, pid int) (float64, error) {
	type told struct {
		at  float64
		err error
	}
	seen := make(chan told, 1)
	go func() { // ends with the answer of the page
		at, err := ask[float64](v, fmt.Sprintf(pixelScript, name, name))
		seen <- told{at, err}
	}()
	if err := v.wait(fmt.Sprintf("window.watching === %q", name)); err != nil {
		return 0, err
	}
	from := time.Now()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return 0, err
	}
	got := <-seen
	return got.at - float64(from.UnixMicro())/1000, got.err
}

// measureLasting keeps a page open while states change, and sees whether it
// takes more and more memory.
func measureLasting(ctx context.Context, b *bench) error {
	r, err := b.newRig(func(bell *bell) []served {
		argv := []string{b.self, "hand", "storm", fmt.Sprint(b.size.changes * 7200), fmt.Sprint(b.size.changes)}
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
	e, err := b.newEyes(ctx)
	if err != nil {
		return err
	}
	defer e.close()
	v, err := e.open("http://" + r.listen + "/")
	if err != nil {
		return err
	}
	defer v.end()
	if _, err := r.api.Do(ctx, services.Order{Action: services.Start, Servers: []string{stormServer}}); err != nil {
		return r.trouble(err)
	}
	// Until then rows get their pictures, when the first samples come.
	if err := rest(ctx, 2*settled); err != nil {
		return err
	}
	const looks = 10
	var heap samples
	var nodes []int64
	tick := time.NewTicker(b.size.aged / looks)
	defer tick.Stop()
	for range looks {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		h, err := v.held()
		if err != nil {
			return err
		}
		heap.add(h.heap)
		nodes = append(nodes, h.nodes)
	}
	elements, err := ask[int64](v, `document.getElementsByTagName("*").length`)
	if err != nil {
		return err
	}
	// What is on its way to being freed comes and goes; what is left when there
	// is the least of it is what the page has grown to.
	early, late := samples{heap[:looks/2].quantile(0)}, samples{heap[looks/2:].quantile(0)}
	fewest, last := slices.Min(nodes[:looks/2]), slices.Min(nodes[looks/2:])
	b.table.add(row{
		what: fmt.Sprintf("memory of a page, %d changes a second, last half of %v", b.size.changes, b.size.aged), unit: "MB", ours: late, hand: early,
		target: "<= 1.05 x the first half",
		met:    func(r row) bool { return r.ratio() <= 1.05 && float64(last) <= 1.05*float64(fewest) },
		notes:  []string{fmt.Sprintf("by hand: its first half; at the least %d nodes in the first half and %d in the last; %d elements in the document", fewest, last, elements)},
	})
	return r.stop(ctx)
}
