package alerts

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"syscall"
	"time"

	"tend/services"
)

// refused is an answer that is no success.
type refused struct {
	status int
	after  time.Duration // when to try again, as far as it says
}

func (e *refused) Error() string {
	if e.status >= 300 && e.status < 400 {
		return fmt.Sprintf("it answered %d, and %v", e.status, errRedirect)
	}
	return fmt.Sprintf("it answered %d", e.status)
}

// verdict says whether it makes no sense to try again, and when it does.
func verdict(err error) (final bool, after time.Duration) {
	var e *refused
	var sent *unsent
	if errors.As(err, &sent) {
		return sent.final, sent.after
	}
	if !errors.As(err, &e) {
		return errors.Is(err, errForbidden), 0
	}
	busy := e.status == http.StatusRequestTimeout || e.status == http.StatusTooManyRequests
	return e.status >= 300 && e.status < 500 && !busy, e.after
}

// post sends a message to a webhook.
func post(ctx context.Context, client *http.Client, address string, m Message) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode the message: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(text))
	if err != nil {
		return errors.New("its address cannot be used")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "tend")
	res, err := client.Do(req)
	if err != nil {
		var shown *url.Error // which holds the whole address
		if errors.As(err, &shown) {
			err = shown.Err
		}
		if errors.Is(err, context.DeadlineExceeded) || os.IsTimeout(err) {
			return errTime
		}
		return err
	}
	defer res.Body.Close()
	io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) //nolint:errcheck // so that the connection is used again
	if res.StatusCode/100 == 2 {
		return nil
	}
	e := &refused{status: res.StatusCode}
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds > 0 {
		e.after = time.Duration(seconds) * time.Second
	}
	return e
}

// NewClient returns a client that goes nowhere where Guard does not, through
// no proxy, and follows no redirect.
func NewClient() *http.Client { return &http.Client{Transport: NewTransport(nil)} }

// NewTransport returns what NewClient sends by. Whatever client uses it, no
// redirect is followed: an answer that leads elsewhere is an error.
func NewTransport(config *tls.Config) http.RoundTripper {
	dialer := &net.Dialer{Timeout: oneTry, Control: Guard}
	return straight{&http.Transport{
		DialContext: dialer.DialContext, TLSClientConfig: config,
		MaxIdleConnsPerHost: 1, IdleConnTimeout: 30 * time.Second, TLSHandshakeTimeout: oneTry,
	}}
}

// straight lets no answer lead elsewhere.
type straight struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (s straight) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := s.Transport.RoundTrip(req)
	if err == nil && res.StatusCode/100 == 3 {
		res.Body.Close()
		return nil, &refused{status: res.StatusCode}
	}
	return res, err
}

var (
	errForbidden = errors.New("its address is one to which no alert is sent")
	errTime      = errors.New("no answer in time")
	errRedirect  = errors.New("redirects are not followed: write the address that it leads to")
)

// Guard refuses to connect to link-local, multicast and unspecified addresses
// and to those of clouds' metadata. It is asked with the address that is
// really connected to, whatever a name was resolved to before.
func Guard(_, address string, _ syscall.RawConn) error {
	where, err := netip.ParseAddrPort(address)
	if err != nil {
		return errForbidden
	}
	if !services.Tellable(where.Addr()) {
		return errForbidden
	}
	return nil
}
