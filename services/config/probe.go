package config

import (
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"os"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"time"

	"tend/services"
)

// Defaults of probes.
const (
	readyInterval = time.Second
	liveInterval  = 3 * time.Second
	probeTimeout  = time.Second
	liveFailures  = 3
)

// probe reads ready or live.
func (d *decoder) probe(n *node, label string, live bool, into **services.Probe) {
	p := &services.Probe{Interval: readyInterval, Timeout: probeTimeout, Successes: 1, Failures: 1}
	if live {
		p.Interval, p.Failures, p.Action = liveInterval, liveFailures, services.ProbeRestart
	}
	var kinds []string
	var web services.HTTPProbe
	var webAt, tlsAt, deadlineAt place // of a key that only http, or https, has
	kind := func(key string, read func(n *node)) func(n *node) {
		return func(n *node) { kinds = append(kinds, key); read(n) }
	}
	ofHTTP := func(read func(n *node)) func(n *node) { return func(n *node) { webAt = n.at; read(n) } }
	known := fields{
		"tcp":       kind("tcp", func(n *node) { d.tcp(n, label+".tcp", &p.TCP) }),
		"http":      kind("http", func(n *node) { d.address(n, label+".http", &web.URL); p.HTTP = &web }),
		"exec":      kind("exec", func(n *node) { d.argv(n, label+".exec", &p.Exec) }),
		"log":       kind("log", func(n *node) { d.pattern(n, label+".log", &p.Log) }),
		"delay":     func(n *node) { d.duration(n, label+".delay", 0, &p.Delay) },
		"interval":  func(n *node) { d.duration(n, label+".interval", 50*time.Millisecond, &p.Interval) },
		"timeout":   func(n *node) { d.duration(n, label+".timeout", 10*time.Millisecond, &p.Timeout) },
		"successes": func(n *node) { d.count(n, label+".successes", &p.Successes) },
		"failures":  func(n *node) { d.count(n, label+".failures", &p.Failures) },
		"status":    ofHTTP(func(n *node) { d.statuses(n, label+".status", &web.Status) }),
		"contains":  ofHTTP(func(n *node) { web.Contains, _ = d.word(n, label+".contains", "ok") }),
		"headers":   ofHTTP(func(n *node) { d.headers(n, label+".headers", &web.Headers) }),
		"insecure":  ofHTTP(func(n *node) { tlsAt = n.at; d.truth(n, label+".insecure", &web.Insecure) }),
		"ca":        ofHTTP(func(n *node) { tlsAt = n.at; d.certificates(n, label+".ca", &web.CA) }),
	}
	if live {
		known["action"] = func(n *node) {
			choice(d, n, label+".action", &p.Action, services.ProbeRestart, services.ProbeAlert, services.ProbeNone)
		}
	} else {
		known["deadline"] = func(n *node) { deadlineAt = n.at; d.duration(n, label+".deadline", time.Millisecond, &p.Deadline) }
		known["notify"] = kind("notify", func(n *node) { d.notifies(n, label+".notify", &p.Notify) })
	}
	d.object(n, label, known)
	switch {
	case n.kind != object:
		return
	case len(kinds) == 0 && !strange(n, known): // an unknown key is meant to be the kind
		d.add(n.at, label, "says not what to check: write one of tcp, http, exec or log, such as {tcp: 127.0.0.1:8080}")
	case len(kinds) > 1:
		d.add(n.at, label, "checks several things (%s): write one of them", strings.Join(kinds, ", "))
	case p.HTTP == nil && webAt != (place{}):
		d.add(webAt, label, "has a key that only goes with http: remove it")
	case tlsAt != (place{}) && strings.HasPrefix(strings.ToLower(web.URL), "http:"):
		d.add(tlsAt, label, "has a key that only goes with https, and its address begins with http: write https://, or remove the key")
	case web.Insecure && web.CA != "":
		d.add(tlsAt, label, "trusts any certificate (insecure) and asks for one (ca): remove one of the two")
	case p.Deadline > 0 && p.Deadline <= p.Delay:
		d.add(deadlineAt, label+".deadline", "is over (%s) before the first check (delay: %s): raise it above the delay", p.Deadline, p.Delay)
	}
	*into = p
}

// strange reports whether a map has a key that nobody knows.
func strange(n *node, known fields) bool {
	return slices.ContainsFunc(n.entries, func(e entry) bool { return known[e.key] == nil })
}

func (d *decoder) notifies(n *node, label string, into *bool) {
	if d.truth(n, label, into); n.kind == boolean && !*into {
		d.add(n.at, label, "is false, which checks nothing: write true, or remove ready")
	}
}

// pulse reads a span of time, or a map that says what follows, too.
func (d *decoder) pulse(n *node, label string, least time.Duration, into *services.Pulse) {
	if n.kind != object {
		d.duration(n, label, least, &into.Every)
		return
	}
	d.object(n, label, fields{
		"every": func(n *node) { d.duration(n, label+".every", least, &into.Every) },
		"action": func(n *node) {
			choice(d, n, label+".action", &into.Action, services.ProbeRestart, services.ProbeAlert, services.ProbeNone)
		},
	})
	if !hasKey(n, "every") && into.Every == 0 {
		d.add(n.at, label, "says not how long: write {every: 30s, action: alert}")
	}
}

func (d *decoder) count(n *node, label string, into *int) {
	if times, ok := d.number(n, label, 1, 1000); ok {
		*into = int(times)
	}
}

func (d *decoder) tcp(n *node, label string, into *string) {
	value, ok := d.plain(n, label, "a host and a port such as 127.0.0.1:5432", text)
	if !ok {
		return
	}
	_, port, err := net.SplitHostPort(value)
	if p, perr := strconv.Atoi(port); err != nil || perr != nil || p < 1 || p > 65535 {
		d.add(n.at, label, "wants a host and a port such as 127.0.0.1:5432, not %s", quoteCut(value, `"`))
		return
	}
	*into = value
}

func (d *decoder) address(n *node, label string, into *string) {
	value, ok := d.text(n, label, `"http://127.0.0.1:8080/healthz"`)
	if !ok {
		return
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !validPort(u.Port()) {
		d.add(n.at, label, "wants an address such as http://127.0.0.1:8080/healthz, not %s", quoteCut(value, `"`))
		return
	}
	*into = value
}

// validPort reports whether a URL can have this port; an empty one is the
// scheme's.
func validPort(port string) bool {
	p, err := strconv.Atoi(port)
	return port == "" || err == nil && p >= 1 && p <= 65535
}

func (d *decoder) argv(n *node, label string, into *[]string) {
	if n.kind != list {
		d.wants(n, label, "a list such as [pg_isready, -q]")
		return
	}
	if len(n.items) == 0 {
		d.add(n.at, label, "has no program: write a list such as [pg_isready, -q]")
		return
	}
	if !d.spend(n.at, len(n.items)) {
		return
	}
	*into = nil
	for _, item := range n.items {
		if word, ok := d.word(item, label, "--option"); ok {
			*into = append(*into, word)
		}
	}
	if len(*into) > 0 && (*into)[0] == "" {
		d.add(n.at, label, "has no program: write a list such as [pg_isready, -q]")
	}
}

func (d *decoder) pattern(n *node, label string, into *string) {
	value, ok := d.text(n, label, `"ready to accept connections"`)
	if !ok {
		return
	}
	if value == "" {
		d.add(n.at, label, `is empty, which every line matches: write a regular expression (RE2) such as "ready to accept"`)
		return
	}
	if _, err := regexp.Compile(value); err != nil {
		why := err.Error()
		if e := (*syntax.Error)(nil); errors.As(err, &e) {
			why = e.Code.String()
		}
		d.add(n.at, label, "wants a regular expression (RE2) such as \"ready to accept\", not %s: %s", quoteCut(value, `"`), why)
		return
	}
	*into = value
}

// statuses reads 200, "200-299", or a list of these.
func (d *decoder) statuses(n *node, label string, into *[]services.StatusRange) {
	items := []*node{n}
	if n.kind == list {
		items = n.items
	}
	*into = nil
	for _, item := range items {
		value, ok := d.plain(item, label, "a status such as 200, or several such as 200-299", integer, text)
		if !ok {
			continue
		}
		first, last, ranged := strings.Cut(value, "-")
		if !ranged {
			last = first
		}
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err1 != nil || err2 != nil || from < 100 || to > 599 || from > to {
			d.add(item.at, label, "wants a status from 100 to 599, or several such as 200-299, not %s", quoteCut(value, `"`))
			continue
		}
		*into = append(*into, services.StatusRange{From: from, To: to})
	}
}

// headerName is what the name of a header looks like (RFC 9110).
var headerName = regexp.MustCompile("^[-!#$%&'*+.^_`|~0-9A-Za-z]+$")

func (d *decoder) headers(n *node, label string, into *map[string]string) {
	if n.kind != object {
		d.wants(n, label, "a map such as {Host: example.com}")
		return
	}
	*into = make(map[string]string, len(n.entries))
	for _, e := range n.entries {
		value, ok := d.word(e.value, label+"."+quoteCut(e.key, ""), "text")
		if ok && (strings.ContainsAny(value, "\r\n") || !headerName.MatchString(e.key)) {
			d.add(e.at, label, "has a header that cannot be sent: %s: write a name such as X-Token and text in one line", quoteCut(e.key, `"`))
			continue
		}
		(*into)[e.key] = value
	}
}

func (d *decoder) certificates(n *node, label string, into *string) {
	before := *into
	d.path(n, label, "./ca.pem", into)
	if *into == before {
		return
	}
	text, err := os.ReadFile(*into)
	switch {
	case err != nil:
		d.add(n.at, label, "cannot be read: %v", cause(err))
	case !x509.NewCertPool().AppendCertsFromPEM(text):
		d.add(n.at, label, "holds no certificate in PEM form: %s", quoteCut(*into, ""))
	}
}

// checkProbes looks for what does not go together, and fills in what follows
// when a sign of life does not come: what follows when live fails, where
// nothing else is said.
func (d *decoder) checkProbes(s *draft, label string) {
	action := services.ProbeRestart
	if s.Live != nil {
		action = s.Live.Action
	}
	for _, p := range []*services.Pulse{&s.Watchdog, &s.Silence} {
		if p.Every > 0 && p.Action == "" {
			p.Action = action
		}
	}
	if s.Watchdog.Every > 0 && (s.Ready == nil || !s.Ready.Notify) && s.watchdogAt != (place{}) {
		d.add(s.watchdogAt, label+"watchdog", "needs a server that notifies: add ready: {notify: true}")
	}
}
