package monitor

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"time"

	"tend/services"
)

// mostBody is how much of an answer is searched.
const mostBody = 1 << 20

// attempt checks once; a nil error is a pass, and the text of another one
// says what was wrong.
type attempt func(ctx context.Context) error

// checkOf makes the check of a probe that is asked at intervals.
func (p *Prober) checkOf(w Watched, probe services.Probe) (attempt, error) {
	switch {
	case probe.TCP != "":
		c := &tcpCheck{eyes: p.o.Eyes, address: probe.TCP, run: w.Run}
		return c.try, nil
	case probe.HTTP != nil:
		return newHTTPCheck(*probe.HTTP)
	case len(probe.Exec) > 0:
		return func(ctx context.Context) error { return p.o.Exec(ctx, w.Server, probe.Exec) }, nil
	}
	return nil, fmt.Errorf("nothing to check")
}

// reason is the part of a network error that says what was wrong.
func reason(err error) string {
	var dns *net.DNSError
	switch {
	case errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err):
		return "no answer in time"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	case errors.As(err, &dns):
		return "there is no host " + dns.Name
	}
	for next := errors.Unwrap(err); next != nil; next = errors.Unwrap(err) {
		err = next
	}
	return err.Error()
}

// newHTTPCheck makes a check with a connection of its own each time: one that
// was kept would say little about the next client.
func newHTTPCheck(o services.HTTPProbe) (attempt, error) {
	config := &tls.Config{InsecureSkipVerify: o.Insecure} //nolint:gosec // the user has asked for it
	if o.CA != "" {
		text, err := os.ReadFile(o.CA)
		if err != nil {
			return nil, fmt.Errorf("read the certificates: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate", o.CA)
		}
	}
	client := &http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true, TLSClientConfig: config},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return func(ctx context.Context) error { return askHTTP(ctx, client, o) }, nil
}

func askHTTP(ctx context.Context, client *http.Client, o services.HTTPProbe) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL, nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "tend")
	for name, value := range o.Headers {
		if strings.EqualFold(name, "Host") {
			req.Host = value
			continue
		}
		req.Header.Set(name, value)
	}
	shown := req.URL.Scheme + "://" + req.URL.Host + req.URL.Path // what follows may be secret
	res, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("GET %s: %s", shown, reason(err))
	}
	defer res.Body.Close()
	if !accepted(o.Status, res.StatusCode) {
		return fmt.Errorf("GET %s answered %d, wanted %s", shown, res.StatusCode, ranges(o.Status))
	}
	if o.Contains == "" {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, mostBody))
	switch {
	case bytes.Contains(body, []byte(o.Contains)):
		return nil
	case err != nil:
		return fmt.Errorf("GET %s: %s", shown, reason(err))
	}
	return fmt.Errorf("GET %s answered without %q", shown, o.Contains)
}

func accepted(list []services.StatusRange, status int) bool {
	if len(list) == 0 {
		return status >= 200 && status < 400
	}
	for _, r := range list {
		if r.From <= status && status <= r.To {
			return true
		}
	}
	return false
}

func ranges(list []services.StatusRange) string {
	if len(list) == 0 {
		return "200 to 399"
	}
	words := make([]string, len(list))
	for i, r := range list {
		words[i] = fmt.Sprint(r.From)
		if r.To != r.From {
			words[i] += fmt.Sprintf(" to %d", r.To)
		}
	}
	return strings.Join(words, ", ")
}

// tally turns attempts into a verdict.
type tally struct {
	successes, failures int // that it takes
	passes, fails       int // in a row
	known, passed       bool
}

// take notes an attempt and reports whether the verdict is a new one.
func (j *tally) take(ok bool) (news bool) {
	if ok {
		j.passes, j.fails = j.passes+1, 0
	} else {
		j.passes, j.fails = 0, j.fails+1
	}
	switch {
	case ok && j.passes >= j.successes && !(j.known && j.passed):
		j.known, j.passed = true, true
		return true
	case !ok && j.fails >= j.failures && (!j.known || j.passed):
		j.known, j.passed = true, false
		return true
	}
	return false
}

// within bounds an attempt and names what took too long.
func within(ctx context.Context, timeout time.Duration, c attempt) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := c(ctx)
	if err != nil && ctx.Err() != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) && !strings.Contains(err.Error(), "in time") {
		return fmt.Errorf("no answer within %v", timeout)
	}
	return err
}
