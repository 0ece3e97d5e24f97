//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/css"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/memory"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/remote"
)

// eyes is a real browser without a screen: what it paints is what somebody
// would see. One figure uses it at a time.
type eyes struct {
	ctx  context.Context
	ends []context.CancelFunc
	main *child
	dir  string
}

// errNoEyes says that there is no browser to measure with.
var errNoEyes = errors.New("no browser found: install chromium")

// newEyes starts a browser. It paints as soon as there is something to paint,
// and not when a screen would want it: a screen adds up to one of its frames.
func (b *bench) newEyes(ctx context.Context) (_ *eyes, err error) {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err = exec.LookPath(name); err == nil {
			break
		}
	}
	if path == "" {
		return nil, errNoEyes
	}
	e := &eyes{}
	if e.dir, err = os.MkdirTemp(b.dir, "eyes-"); err != nil {
		return nil, err
	}
	e.main, err = b.nursery.start(command{argv: []string{
		path, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--disable-frame-rate-limit", "--disable-gpu-vsync", "--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--no-proxy-server",
		"--enable-precise-memory-info", "--window-size=1280,900", "--remote-debugging-port=0", "--user-data-dir=" + e.dir, "about:blank",
	}})
	if err != nil {
		return nil, err
	}
	address, err := e.address(ctx)
	if err != nil {
		e.close()
		return nil, err
	}
	allocated, end := remote.NewAllocator(ctx, address)
	e.ends = append(e.ends, end)
	e.ctx = allocated
	return e, nil
}

// address waits until the browser says where it is reached.
func (e *eyes) address(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		text, _ := os.ReadFile(filepath.Join(e.dir, "DevToolsActivePort"))
		if port, path, whole := strings.Cut(strings.TrimSpace(string(text)), "\n"); whole {
			return "ws://127.0.0.1:" + port + path, nil
		}
		select {
		case <-tick.C:
		case <-e.main.done:
			return "", errors.New("the browser has ended")
		case <-ctx.Done():
			return "", fmt.Errorf("the browser does not say where it is: %w", ctx.Err())
		}
	}
}

func (e *eyes) close() {
	for _, end := range e.ends {
		end()
	}
	e.main.killGroup()
	os.RemoveAll(e.dir) //nolint:errcheck // its parent is removed at the end
}

// view is one page in the browser.
type view struct {
	ctx context.Context
	end context.CancelFunc
}

// open opens a page, without what earlier ones have left in the cache. What the
// driver has the browser tell of elements and styles is switched off: nobody's
// browser does that, and a page of many elements takes longer with it.
func (e *eyes) open(address string) (*view, error) {
	v := &view{}
	v.ctx, v.end = chromedp.NewContext(e.ctx)
	err := chromedp.Do(v.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if _, err := cdp.Call(ctx, t, network.Enable, network.EnableParams{}); err != nil {
			return err
		}
		if _, err := cdp.Call(ctx, t, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true}); err != nil {
			return err
		}
		if _, err := cdp.Call(ctx, t, css.Disable, cdp.Empty{}); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, t, dom.Disable, cdp.Empty{})
		return err
	}), chromedp.Navigate(address))
	if err != nil {
		v.end()
		return nil, fmt.Errorf("open %s: %w", address, err)
	}
	return v, nil
}

// ask returns what an expression yields in a page, awaited.
func ask[T any](v *view, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(v.ctx, 5*time.Minute)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// wait waits until an expression holds in the page.
func (v *view) wait(expression string) error {
	_, err := ask[bool](v, `new Promise((done) => { const look = () => (`+expression+`) ? done(true) : setTimeout(look, 10); look(); })`)
	if err != nil {
		return fmt.Errorf("wait for %s: %w", expression, err)
	}
	return nil
}

// held is what a page takes after whatever it does not use is gone.
type held struct {
	heap  float64 // MB
	nodes int64
}

func (v *view) held() (h held, err error) {
	err = chromedp.Do(v.ctx, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for range 2 { // what the first leaves to finalizers
			if _, err := cdp.Call(ctx, t, heapprofiler.CollectGarbage, cdp.Empty{}); err != nil {
				return err
			}
		}
		used, err := cdp.Call(ctx, t, runtime.GetHeapUsage, cdp.Empty{})
		if err != nil {
			return err
		}
		counted, err := cdp.Call(ctx, t, memory.GetDOMCounters, cdp.Empty{})
		if err != nil {
			return err
		}
		h = held{used.UsedSize / megabyte, counted.Nodes}
		return nil
	}))
	return h, err
}
