package api

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tend/services"
)

// values are the parameters of a call. One that is there but empty counts as
// absent.
type values url.Values

// params reads the parameters of a request: its query and, of a POST, the form
// in its body. It refuses those that the call does not know, and those given
// twice, unless their name ends in "..." here.
func params(r *http.Request, known ...string) (values, error) {
	if err := r.ParseForm(); err != nil {
		return nil, services.Errorf(services.Invalid, "the parameters cannot be read: %v", err)
	}
	names := make([]string, 0, len(r.Form))
	for name := range r.Form {
		names = append(names, name)
	}
	slices.Sort(names) // the same mistake gets the same answer
	for _, name := range names {
		many := slices.Contains(known, name+"...")
		switch {
		case len(known) == 0:
			return nil, services.Errorf(services.Invalid, "there is no parameter %.40q: this call takes none", name)
		case !many && !slices.Contains(known, name):
			return nil, services.Errorf(services.Invalid, "there is no parameter %.40q: this call takes %s", name,
				strings.ReplaceAll(strings.Join(known, ", "), "...", ""))
		case len(r.Form[name]) > 1 && !many:
			return nil, services.Errorf(services.Invalid, "%s is given %d times: give it once", name, len(r.Form[name]))
		}
	}
	return values(r.Form), nil
}

func (v values) text(name string) string { return url.Values(v).Get(name) }

// truth reads a parameter that is true, false or absent, which is false.
func (v values) truth(name string) (bool, error) {
	switch text := v.text(name); text {
	case "", "false", "0":
		return false, nil
	case "true", "1":
		return true, nil
	default:
		return false, bad(name, text, "true or false")
	}
}

// number reads a whole number from least on, or returns otherwise where there
// is none.
func (v values) number(name string, least, otherwise int) (int, error) {
	text := v.text(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least {
		return 0, bad(name, text, "a whole number from "+strconv.Itoa(least)+" on")
	}
	return n, nil
}

// longestWait bounds wait: a forgotten client must not hold a connection for
// ever.
const longestWait = time.Hour

// wait reads how long the outcome is waited for, 0 for not at all.
func (v values) wait() (time.Duration, error) {
	text := v.text("wait")
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 || d > longestWait {
		return 0, bad("wait", text, "a time such as 30s, at most 1h")
	}
	return d, nil
}

// action reads what is to be done.
func (v values) action() (services.Action, error) {
	switch a := services.Action(v.text("action")); a {
	case services.Start, services.Stop, services.Restart, services.Kill:
		return a, nil
	case "":
		return "", services.Errorf(services.Invalid, "action is missing: write action=start, stop, restart or kill")
	default:
		return "", bad("action", string(a), "start, stop, restart or kill")
	}
}

// instant reads an instant, or an age such as 10m. Absent is the zero time.
func (v values) instant(name string, now time.Time) (time.Time, error) {
	text := v.text(name)
	if text == "" {
		return time.Time{}, nil
	}
	if age, err := time.ParseDuration(text); err == nil && age >= 0 {
		return now.Add(-age), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, bad(name, text, "an age such as 10m, or a time such as "+now.UTC().Format(time.RFC3339))
	}
	return at, nil
}

// longestGrep bounds an expression: it is compiled for every request.
const longestGrep = 1000

// grep reads a regular expression, nil where there is none.
func (v values) grep() (*regexp.Regexp, error) {
	text := v.text("grep")
	if text == "" {
		return nil, nil
	}
	if len(text) > longestGrep {
		return nil, services.Errorf(services.Invalid, "grep is longer than %d characters", longestGrep)
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, services.Errorf(services.Invalid, "grep wants a regular expression (RE2): %v", err)
	}
	return re, nil
}

func bad(name, text, want string) error {
	return services.Errorf(services.Invalid, "%s wants %s, not %.60q", name, want, text)
}
