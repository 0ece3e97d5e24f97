package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

// A flood at the network: connections that say nothing, pages, pages that
// nobody reads, streams, and searches. Servers die meanwhile. How long their
// restarts take is compared with the same without a flood, for the flood itself
// takes a part of the machine, and so may others.
func TestAFloodAtTheNetworkLeavesSupervisionAndTheSocketAlone(t *testing.T) {
	const kills, slower, patience = 20, 10, 500 * time.Millisecond
	w := newWard(t, 0, nil)
	text := "servers:\n"
	for i := range 10 {
		text += fmt.Sprintf("  s%d: {command: [sh, -c, 'echo a line of s%d; exec sleep 1000'], restart: always, backoff: {min: 1ms, max: 2ms}}\n", i, i)
	}
	w.configure(text)
	w.open()
	w.waitFor("s9", services.Running)
	info, err := w.client.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(info.URL)
	if err != nil {
		t.Fatal(err)
	}

	// crash kills servers one after the other, and returns the medians of how
	// long it took until they ran again, and until the socket answered.
	crash := func() (restart, answer time.Duration) {
		var restarts, answers []time.Duration
		for n := range kills {
			name := fmt.Sprintf("s%d", n%10)
			before := w.status(name)
			began := time.Now()
			syscall.Kill(int(before.PID), syscall.SIGKILL)
			w.until(name+" is up again", 60*time.Second, func() string {
				asked := time.Now()
				s := w.status(name)
				answers = append(answers, time.Since(asked))
				if s.PID == before.PID || s.PID == 0 {
					return s.Why
				}
				restarts = append(restarts, s.StartedAt.Sub(began))
				return ""
			})
		}
		slices.Sort(restarts)
		slices.Sort(answers)
		t.Logf("restarts: median %v, worst %v; the socket answers: median %v, worst %v", restarts[len(restarts)/2], restarts[len(restarts)-1], answers[len(answers)/2], answers[len(answers)-1])
		return restarts[len(restarts)/2], answers[len(answers)/2]
	}
	calmRestart, calmAnswer := crash()

	ctx, cancel := context.WithCancel(t.Context())
	var flood sync.WaitGroup
	var answered, refused atomic.Int64
	transport := &http.Transport{DisableKeepAlives: true}
	client := &http.Client{Transport: transport}
	for i := range 40 {
		flood.Go(func() {
			paths := []string{"/", "/api/servers", "/api/events", "/servers/s1/log", "/logs/search?server=s1&q=line", "/api/servers/s1/logs?follow=true", "/servers/s1"}
			for n := i; ctx.Err() == nil && n < 2000; n++ {
				soon, end := context.WithTimeout(ctx, time.Second)
				req, _ := http.NewRequestWithContext(soon, "GET", info.URL+paths[n%len(paths)], nil)
				res, err := client.Do(req)
				if err != nil {
					refused.Add(1)
				} else {
					io.Copy(io.Discard, res.Body)
					res.Body.Close()
					answered.Add(1)
				}
				end()
			}
		})
	}
	var mu sync.Mutex
	var silent []net.Conn
	for range 4 {
		flood.Go(func() {
			var dialer net.Dialer
			for n := 0; ctx.Err() == nil && n < 300; n++ {
				conn, err := dialer.DialContext(ctx, "tcp", at.Host)
				if err != nil {
					continue
				}
				if n%2 == 0 { // asks, and does not read the answer
					io.WriteString(conn, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
				}
				mu.Lock()
				silent = append(silent, conn)
				mu.Unlock()
			}
		})
	}
	defer func() {
		cancel()
		flood.Wait()
		transport.CloseIdleConnections()
		for _, conn := range silent {
			conn.Close()
		}
	}()

	restart, answer := crash()
	if code, _, errs := w.tend("status"); code != 0 {
		t.Errorf("tend status: %d %s", code, errs)
	}
	t.Logf("the flood got %d answers, %d were cut off", answered.Load(), refused.Load())
	if restart > patience+slower*calmRestart || answer > patience+slower*calmAnswer {
		t.Errorf("the flood keeps servers down, or the owner out: %v instead of %v, %v instead of %v", restart, calmRestart, answer, calmAnswer)
	}
	if answered.Load() == 0 {
		t.Error("the flood got nothing: the test floods the wrong place")
	}
}
