package alerts

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/nicholas-fedor/shoutrrr"
	"github.com/nicholas-fedor/shoutrrr/pkg/types"
)

// silent is a log that keeps nothing: what the library says may hold addresses.
type silent struct{}

func (silent) Print(...any)          {}
func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

// CheckNotify says what is wrong with the address of a notification service,
// without showing it.
func CheckNotify(address string) error {
	if _, err := shoutrrr.NewSender(silent{}, address); err != nil {
		return redacted(err, address)
	}
	return nil
}

// notify sends a message by a notification service. The library takes no
// context: what overstays ctx is left behind, bounded by the library's own
// times. Its services use http.DefaultClient, which the program guards.
func notify(ctx context.Context, address string, m Message) error {
	done := make(chan error, 1)
	go func() { // ends with the library's own timeouts
		sender, err := shoutrrr.NewSender(silent{}, address)
		if err == nil {
			params := types.Params{}
			params.SetTitle(m.Title())
			err = errors.Join(sender.Send(m.Text(), &params)...)
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
		return errors.New("no answer in time")
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
	return errors.New(text)
}
