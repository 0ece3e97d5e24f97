//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// paintScript tells when the page was painted first, and when it answered to
// whoever uses it: its scripts have run and nothing long goes on any more.
const paintScript = `new Promise((done) => {
	let busy = 0;
	new PerformanceObserver((list) => { for (const task of list.getEntries()) busy = Math.max(busy, task.startTime + task.duration); }).observe({ type: "longtask", buffered: true });
	const look = () => {
		const paint = performance.getEntriesByName("first-contentful-paint")[0]?.startTime, ready = performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd;
		if (!paint || !ready || performance.now() < Math.max(busy, ready) + 100) return setTimeout(look, 10);
		done([paint, Math.max(paint, ready, busy)]);
	};
	setTimeout(look, 50);
})`

// keyScript watches the box of the filter: how long after each key what it
// changed was painted.
const keyScript = `(() => {
	window.took = [];
	const box = document.querySelector("#filter"), port = new MessageChannel();
	let pressed = 0;
	port.port1.onmessage = () => { took.push(performance.now() - pressed); };
	box.addEventListener("keydown", (event) => { pressed = event.timeStamp; }, true);
	box.addEventListener("input", () => requestAnimationFrame(() => port.port2.postMessage(0)));
	box.focus();
	return true;
})()`

// filterScript is a filter in the fewest lines.
const filterScript = `<script>
	const rows = Array.from(document.querySelectorAll(".row"), (row) => [row, row.textContent.toLowerCase()]);
	document.querySelector("#filter").addEventListener("input", ({ target }) => {
		const word = target.value.toLowerCase();
		for (const [row, text] of rows) row.hidden = !text.includes(word);
	});
</script>`

// between is what a browser has to do away with the page before, and to prepare
// for the next one: nobody waits for that.
const between = time.Second

// atLeisure is between two keys of somebody who types without haste.
const atLeisure = 250 * time.Millisecond

// measurePaint opens the overview of all servers in a real browser, and types
// into its filter.
func measurePaint(ctx context.Context, b *bench) error {
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
	e, err := b.newEyes(ctx)
	if err != nil {
		return err
	}
	defer e.close()
	plain, err := servePlain(ctx, "http://"+r.listen+"/")
	if err != nil {
		return err
	}
	defer plain.Close()
	var painted, usable, byHand samples
	var keys [2]pace
	for i := range b.size.visits + 1 {
		if err := rest(ctx, between); err != nil {
			return err
		}
		at, err := e.paint(plain.URL + "/")
		if err != nil {
			return err
		}
		if i > 0 {
			byHand.add(at[0])
		}
		if err := rest(ctx, between); err != nil {
			return err
		}
		v, err := e.open("http://" + r.listen + "/")
		if err != nil {
			return err
		}
		if at, err = ask[[]float64](v, paintScript); err != nil {
			return err
		}
		if i > 0 { // the first visit is the browser's own start
			painted.add(at[0])
			usable.add(at[1])
		}
		if err := v.wait(fmt.Sprintf("document.querySelectorAll('.row').length === %d", r.servers)); err != nil {
			return err
		}
		if i == b.size.visits {
			keys[0], err = v.paces(ctx)
		}
		v.end()
		if err != nil {
			return err
		}
	}
	v, err := e.open(plain.URL + "/filter")
	if err != nil {
		return err
	}
	keys[1], err = v.paces(ctx)
	v.end()
	if err != nil {
		return err
	}
	b.table.add(row{
		what: fmt.Sprintf("first contentful paint, %d servers, nothing cached", r.servers), unit: "ms", ours: painted, hand: byHand, tail: true, target: "<= 300 ms",
		met: func(r row) bool { return r.ours.median() <= 300 }, notes: []string{"by hand: net/http sends the same page, ready-made, without styles and scripts"},
	})
	b.table.add(row{
		what: "the same page is interactive", unit: "ms", ours: usable, tail: true, target: "<= 600 ms",
		met: func(r row) bool { return r.ours.median() <= 600 }, notes: []string{"its scripts have run, and no task of 50 ms goes on"},
	})
	b.table.add(row{
		what: fmt.Sprintf("a key in its filter to the paint, %d servers", r.servers), unit: "ms", ours: keys[0].hasty, hand: keys[1].hasty, tail: true, target: "<= 16 ms",
		met: func(r row) bool { return r.ours.median() <= 16 }, notes: []string{"until the frame is made; the browser waits for no screen", "by hand: the same page without styles, and five lines that hide what does not match"},
	})
	b.table.add(row{
		what: fmt.Sprintf("  and %v after the key before", atLeisure), unit: "ms", ours: keys[0].leisurely, hand: keys[1].leisurely, tail: true, target: "<= 16 ms",
		met: func(r row) bool { return r.ours.median() <= 16 }, notes: []string{"so that all rows have come that the key before has shown"},
	})
	return r.stop(ctx)
}

// servePlain serves what is at an address as it is now, without what it loads;
// at /filter with a filter of its own.
func servePlain(ctx context.Context, address string) (*httptest.Server, error) {
	client := &http.Client{Timeout: patience}
	defer client.CloseIdleConnections()
	page, err := fetchPacked(ctx, client, address)
	if err != nil {
		return nil, err
	}
	text := []byte(loads.ReplaceAllString(page.text, ""))
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(text) //nolint:errcheck // the browser has gone
		if r.URL.Path == "/filter" {
			io.WriteString(w, filterScript) //nolint:errcheck // likewise
		}
	})), nil
}

var loads = regexp.MustCompile(`<link [^>]*>|<script [^>]*></script>`)

// paint opens a page and returns when it was painted, and when it was ready.
func (e *eyes) paint(address string) ([]float64, error) {
	v, err := e.open(address)
	if err != nil {
		return nil, err
	}
	defer v.end()
	return ask[[]float64](v, paintScript)
}

// pace is how long keys took.
type pace struct {
	hasty, leisurely samples
}

// paces types into the filter, with and without haste.
func (v *view) paces(ctx context.Context) (took pace, err error) {
	if took.hasty, err = v.typing(ctx, `s0999`, 8, 0); err == nil {
		took.leisurely, err = v.typing(ctx, `s0999`, 8, atLeisure)
	}
	return took, err
}

// typing types a word and takes it back, so many times, with a rest before each
// key.
func (v *view) typing(ctx context.Context, word string, rounds int, pause time.Duration) (took samples, err error) {
	if _, err := ask[bool](v, keyScript); err != nil {
		return nil, err
	}
	count := 0
	for range rounds {
		for i := range 2 * len(word) {
			key := input.DispatchKeyEventParams{Type: "keyDown", Key: "Backspace", Code: "Backspace", WindowsVirtualKeyCode: 8}
			if i < len(word) {
				key = input.DispatchKeyEventParams{Type: "keyDown", Key: word[i : i+1], Text: word[i : i+1]}
			}
			if err := rest(ctx, pause); err != nil {
				return nil, err
			}
			if err := v.press(key); err != nil {
				return nil, err
			}
			count++
			if err := v.wait(fmt.Sprintf("took.length >= %d", count)); err != nil {
				return nil, err
			}
		}
	}
	list, err := ask[[]float64](v, "took")
	return list, err
}

func (v *view) press(key input.DispatchKeyEventParams) error {
	return chromedp.Do(v.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, key); err != nil {
			return err
		}
		key.Type, key.Text = "keyUp", ""
		_, err := cdp.Call(ctx, t, input.DispatchKeyEvent, key)
		return err
	}))
}
