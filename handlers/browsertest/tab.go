package browsertest

import (
	"context"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// patience bounds everything that a test waits for in a browser.
const patience = 60 * time.Second

// Tab is one page.
type Tab struct {
	t   testing.TB
	ctx context.Context

	mu    sync.Mutex // guards what follows
	noted []string
}

// Option says how a tab is to be.
type Option = chromedp.Action[chromedp.Void]

// WithoutScripts switches JavaScript off.
func WithoutScripts() Option {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
}

// Size sets the size of the window in pixels, and the system to "dark" or
// "light".
func Size(width, height int64, theme string) Option {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
			Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 600,
		})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}},
		})
		return err
	})
}

// Calm is a system on which somebody wants as little motion as there can be.
func Calm() Option {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}},
		})
		return err
	})
}

// InZone puts the browser into a time zone such as Asia/Tokyo.
func InZone(name string) Option {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: name})
		return err
	})
}

// First runs a script in each page before those of the page.
func First(script string) Option {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
		return err
	})
}

// watchPolicy makes violations of the content security policy loud.
const watchPolicy = `addEventListener("securitypolicyviolation", (e) =>
	console.error("violated " + e.violatedDirective + " by " + (e.blockedURI || "inline") + " in " + e.sourceFile + ":" + e.lineNumber))`

// Open opens a tab, which is closed with the test.
func (b *Browser) Open(t testing.TB, options ...Option) *Tab {
	t.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	tab := &Tab{t: t, ctx: ctx}
	if err := chromedp.Do(ctx); err != nil { // without a deadline, which would be the tab's
		t.Fatalf("open a tab: %v", err)
	}
	var listener sync.WaitGroup
	messages := chromedp.Console(ctx)
	listener.Go(func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			tab.note(m)
		}
	})
	t.Cleanup(func() {
		cancel()
		listener.Wait()
	})
	tab.Do(First(watchPolicy))
	tab.Do(options...)
	return tab
}

// note keeps what a page should not have done.
func (tab *Tab) note(m chromedp.ConsoleMessage) {
	switch m.Type {
	case chromedp.ConsoleError, chromedp.ConsoleWarning, chromedp.ConsoleException, "assert":
		tab.mu.Lock()
		defer tab.mu.Unlock()
		tab.noted = append(tab.noted, m.String()+" "+m.URL)
	}
}

// Noted returns what the page did wrong so far, and forgets it.
func (tab *Tab) Noted() []string {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	out := tab.noted
	tab.noted = nil
	return out
}

// MustBeClean fails the test for everything that was noted, but for what
// contains one of the given texts.
func (tab *Tab) MustBeClean(except ...string) {
	tab.t.Helper()
	tab.Holds(`true`, patience) // what was on its way has come before this answer
next:
	for _, text := range tab.Noted() {
		for _, allowed := range except {
			if strings.Contains(text, allowed) {
				continue next
			}
		}
		tab.t.Errorf("the page did what it must not: %s", text)
	}
}

// Do runs actions, and fails the test when they do not succeed in time.
func (tab *Tab) Do(actions ...chromedp.Action[chromedp.Void]) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		tab.t.Fatalf("in the browser: %v", err)
	}
}

// Get returns what an action yields.
func Get[T any](tab *Tab, action chromedp.Action[T]) T {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		tab.t.Fatalf("in the browser: %v", err)
	}
	return value
}

// Eval returns the value of an expression, awaited.
func Eval[T any](tab *Tab, expression string) T {
	tab.t.Helper()
	return Get(tab, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// Go opens a page and waits until it has loaded.
func (tab *Tab) Go(url string) {
	tab.t.Helper()
	tab.Do(chromedp.Navigate(url))
}

// Click clicks on the element that a selector finds. Where the page reloads
// itself at that moment it looks for the element again.
func (tab *Tab) Click(selector string) {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, patience)
	defer cancel()
	click := chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible)
	err := chromedp.Do(ctx, click)
	for err != nil && replaced(err) && ctx.Err() == nil {
		err = chromedp.Do(ctx, click)
	}
	if err != nil {
		tab.t.Fatalf("click on %s: %v", selector, err)
	}
}

// replaced reports whether an element could not be used because another page
// came in its place.
func replaced(err error) bool {
	return strings.Contains(err.Error(), "navigated") || strings.Contains(err.Error(), "Could not find node")
}

// Press presses keys where the focus is, as a keyboard does: a key that the
// page takes for itself types nothing. Constants of chromedp/kb stand for keys
// without a letter.
func (tab *Tab) Press(keys string) {
	tab.t.Helper()
	tab.press(keys, 0)
}

// Ctrl presses a key with Ctrl held.
func (tab *Tab) Ctrl(key string) {
	tab.t.Helper()
	tab.press(key, chromedp.ModifierCtrl)
}

func (tab *Tab) press(keys string, held chromedp.Modifier) {
	tab.t.Helper()
	tab.Do(chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		for _, r := range keys {
			events := kb.Encode(r)
			down := events[0]
			for _, e := range events {
				if e.Type == kb.KeyChar && held == 0 {
					down.Text, down.UnmodifiedText = e.Text, e.UnmodifiedText
				}
			}
			for _, e := range events {
				e.Modifiers |= int64(held)
				if e.Type == kb.KeyChar {
					continue
				}
				if _, err := cdp.Call(ctx, t, input.DispatchKeyEvent, *e); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// Text returns the text of the element that a selector finds, as it is shown.
func (tab *Tab) Text(selector string) string {
	tab.t.Helper()
	return Get(tab, chromedp.Text(chromedp.CSS(selector)))
}

// Wait waits until an expression is true in the page, whichever that is by
// then.
func (tab *Tab) Wait(expression string) {
	tab.t.Helper()
	if tab.Holds(expression, patience) {
		return
	}
	tab.t.Fatalf("it did not come true in the browser: %s\nnoted: %q\nthe page says: %s", expression, tab.Noted(), tab.Text("body"))
}

// Holds reports whether an expression comes true in time.
func (tab *Tab) Holds(expression string, within time.Duration) bool {
	tab.t.Helper()
	ctx, cancel := context.WithTimeout(tab.ctx, within)
	defer cancel()
	tick := time.NewTicker(15 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`!!(`+expression+`)`)); err == nil && ok {
			return true
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
}

// Shoot writes a picture of the window into a file.
func (tab *Tab) Shoot(path string) {
	tab.t.Helper()
	// What has just been painted may still fade.
	Eval[bool](tab, `document.fonts.ready.then(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))`)
	if err := os.WriteFile(path, Get(tab, chromedp.CaptureScreenshot()), 0o644); err != nil {
		tab.t.Fatal(err)
	}
}
