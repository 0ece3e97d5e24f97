package alerts

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/nicholas-fedor/shoutrrr/pkg/router"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/email/smtp"
	"github.com/nicholas-fedor/shoutrrr/pkg/services/push/ntfy"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"

	"tend/services"
)

// silent is a log that keeps nothing: what the library says may hold addresses.
type silent struct{}

func (silent) Print(...any)          {}
func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// CheckNotify says what is wrong with the address of a notification service,
// without showing it, and without asking anybody: matrix would log in.
func CheckNotify(address string) error {
	if strings.HasPrefix(address, "matrix:") {
		return nil
	}
	if _, err := sender(address); err != nil {
		return redacted(err, address)
	}
	return nil
}

// sender returns the service of an address, made to go by NewTransport. Most
// services use http.DefaultTransport, which the program replaces with one; these
// here have a client of their own. Mail has a dialer of its own, too, which
// nobody can reach: where it leads is looked at right before.
func sender(address string) (types.Service, error) {
	known, err := router.New(silent{})
	if err != nil {
		return nil, err
	}
	service, err := known.Locate(address)
	if err != nil {
		return nil, err
	}
	switch s := service.(type) {
	case *ntfy.Service:
		//nolint:gosec // the user has asked for it
		config := &tls.Config{InsecureSkipVerify: s.Config.DisableTLSVerification}
		s.SetHTTPClient(&http.Client{Transport: NewTransport(config), Timeout: oneTry})
	case interface{ GetHTTPClient() *http.Client }:
		client := s.GetHTTPClient()
		var config *tls.Config
		if t, ok := client.Transport.(*http.Transport); ok {
			config = t.TLSClientConfig
		}
		client.Transport = NewTransport(config)
	}
	return service, nil
}

// mayMail looks where a mail server's name leads.
func mayMail(ctx context.Context, service types.Service) error {
	mail, ok := service.(*smtp.Service)
	if !ok {
		return nil
	}
	list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", mail.Config.Host)
	if err != nil {
		return err
	}
	for _, ip := range list {
		if !services.Tellable(ip) {
			return errForbidden
		}
	}
	return nil
}

// notify sends a message by a notification service. The library takes no
// context: what overstays ctx is left behind, bounded by the library's own
// times.
func notify(ctx context.Context, address string, m Message) error {
	done := make(chan error, 1)
	go func() { // ends with the library's own timeouts
		service, err := sender(address)
		if err == nil {
			err = mayMail(ctx, service)
		}
		if err == nil {
			params := types.Params{}
			params.SetTitle(m.Title())
			err = service.Send(m.Text(), &params)
		}
		done <- err
	}()
	select {
	case err := <-done:
		if err != nil {
			return redacted(err, address)
		}
		return nil
	case <-ctx.Done():
		return errTime
	}
}

// redacted is an error without anything that the address holds beside its
// scheme and host.
func redacted(err error, address string) error {
	text := err.Error()
	secrets := []string{address}
	if u, err := url.Parse(address); err == nil {
		secrets = append(secrets, u.Redacted(), u.RequestURI(), u.Path, u.RawQuery, u.Fragment, u.User.Username())
		if password, ok := u.User.Password(); ok {
			secrets = append(secrets, password)
		}
		secrets = append(secrets, strings.Split(u.Path, "/")...)
		for _, values := range u.Query() {
			secrets = append(secrets, values...)
		}
	}
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) }) // a part of one may be another
	for _, secret := range secrets {
		if len(secret) > 2 {
			text = strings.ReplaceAll(text, secret, "…")
		}
	}
	final, after := verdict(err)
	for _, sure := range []error{errForbidden, errRedirect} { // some services keep nothing of an error but its text
		final = final || strings.Contains(text, sure.Error())
	}
	return &unsent{text, final, after}
}

// unsent is an error of a notification service, as it may be shown.
type unsent struct {
	text  string
	final bool // it makes no sense to try again
	after time.Duration
}

func (e *unsent) Error() string { return e.text }
