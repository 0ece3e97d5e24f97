//go:build linux

package main

import (
	"bufio"
	"context"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// browser is what a manager sees of one. Its goroutines read whatever is sent.
type browser struct {
	end     context.CancelFunc
	reading sync.WaitGroup

	mu  sync.Mutex // guards what follows
	err error      // what first went wrong while it was open
}

// close returns what went wrong before.
func (w *browser) close() error {
	w.mu.Lock()
	err := w.err
	w.mu.Unlock()
	w.end()
	w.reading.Wait()
	return err
}

// failed is for the goroutines. What fails at the end has failed by it.
func (w *browser) failed(ctx context.Context, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil && ctx.Err() == nil {
		w.err = fmt.Errorf("the browser: %w", err)
	}
}

var socketOf = regexp.MustCompile(`"(/ws\?topic=overview[^"]*)"`)

// manner is how a browser behaves.
type manner uint8

const (
	fast     manner = iota // it reads as fast as it can
	slow                   // it takes its time between two messages
	restless               // it goes away and comes back
)

// browseOverview opens the overview, its websocket too.
func browseOverview(ctx context.Context, address string) (*browser, error) {
	conn, err := dialOverview(ctx, address)
	if err != nil {
		return nil, err
	}
	w := new(browser)
	ctx, w.end = context.WithCancel(ctx)
	w.read(ctx, conn, 0)
	return w, nil
}

// browse opens the overview in some manner.
func browse(ctx context.Context, address string, how manner) (*browser, error) {
	if how == fast {
		return browseOverview(ctx, address)
	}
	conn, err := dialOverview(ctx, address)
	if err != nil {
		return nil, err
	}
	w := new(browser)
	ctx, w.end = context.WithCancel(ctx)
	if how == slow {
		w.read(ctx, conn, 2*time.Second)
		return w, nil
	}
	w.reading.Go(func() {
		for err == nil && ctx.Err() == nil {
			visit, leave := context.WithTimeout(ctx, time.Second+rand.N(10*time.Second))
			var one browser
			one.read(visit, conn, 0)
			<-visit.Done()
			leave()
			one.reading.Wait()
			if one.err != nil {
				w.failed(ctx, one.err)
			}
			conn, err = dialOverview(ctx, address)
		}
		if err == nil {
			conn.Close() //nolint:errcheck // it is the last one
		} else {
			w.failed(ctx, err)
		}
	})
	return w, nil
}

func dialOverview(ctx context.Context, address string) (*websocket.Conn, error) {
	page, err := loadOverview(ctx, address)
	if err != nil {
		return nil, err
	}
	link := socketOf.FindSubmatch(page)
	if link == nil {
		return nil, fmt.Errorf("the overview names no websocket: %.200s", page)
	}
	origin := http.Header{"Origin": {"http://" + address}}
	conn, _, err := websocket.DefaultDialer.DialContext(ctx, "ws://"+address+html.UnescapeString(string(link[1])), origin)
	if err != nil {
		return nil, fmt.Errorf("open the websocket: %w", err)
	}
	return conn, nil
}

// read reads until ctx ends, with a pause between two messages.
func (w *browser) read(ctx context.Context, conn *websocket.Conn, rest time.Duration) {
	w.reading.Go(func() {
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				w.failed(ctx, err)
				return
			}
			select {
			case <-time.After(rest):
			case <-ctx.Done():
			}
		}
	})
	w.reading.Go(func() {
		<-ctx.Done()
		conn.Close() //nolint:errcheck // it ends the reader
	})
}

func loadOverview(ctx context.Context, address string) ([]byte, error) {
	res, err := get(ctx, "http://"+address+"/")
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return io.ReadAll(res.Body)
}

// browseLog follows the log of a server and closes seen when the page shows
// the text.
func browseLog(ctx context.Context, address, server, text string) (w *browser, seen <-chan struct{}, err error) {
	w = new(browser)
	ctx, w.end = context.WithCancel(ctx)
	res, err := get(ctx, "http://"+address+"/servers/"+server+"/log")
	if err != nil {
		w.end()
		return nil, nil, err
	}
	shown := make(chan struct{})
	w.reading.Go(func() {
		defer res.Body.Close()
		sent := bufio.NewScanner(res.Body)
		sent.Buffer(nil, 1<<20) // an event is one line
		for found := false; sent.Scan(); {
			if !found && strings.Contains(sent.Text(), text) {
				found = true
				close(shown)
			}
		}
		w.failed(ctx, fmt.Errorf("the log of %s ends: %v", server, sent.Err()))
	})
	return w, shown, nil
}

func get(ctx context.Context, url string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err == nil && res.StatusCode != http.StatusOK {
		res.Body.Close() //nolint:errcheck // it is not read
		err = fmt.Errorf("%s answers %s", url, res.Status)
	}
	return res, err
}
