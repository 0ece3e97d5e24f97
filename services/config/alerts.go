package config

import (
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tend/services"
)

// DefaultEvery is how often at most a trouble is told where a rule does not say.
const DefaultEvery = 10 * time.Minute

// notifySchemes are the notification services that can be addressed.
var notifySchemes = []string{
	"bark", "discord", "generic", "generic+http", "generic+https", "googlechat", "gotify", "hangouts", "ifttt", "join", "lark", "matrix", "mattermost",
	"notifiarr", "ntfy", "opsgenie", "pagerduty", "pushbullet", "pushover", "rocketchat", "signal", "slack", "smtp", "teams", "telegram", "wecom", "zulip",
}

// named is a name that has to be a server, with its place.
type named struct {
	name, label string
	at          place
}

// alerts reads the rules by which people are told. No address is ever part of
// a problem's sentence: it may hold a token.
func (d *decoder) alerts(n *node, into *[]services.AlertRule) (servers []named) {
	if n.kind != list {
		d.wants(n, "alerts", `a list such as [{on: [crash], webhook: "https://example.com/hook"}]`)
		return nil
	}
	if !d.spend(n.at, len(n.items)) {
		return nil
	}
	for i, item := range n.items {
		label := "alerts[" + strconv.Itoa(i) + "]"
		rule := services.AlertRule{Every: DefaultEvery}
		given := map[string]bool{}
		note := func(key string, read func(n *node)) func(n *node) {
			return func(n *node) { given[key] = true; read(n) }
		}
		d.object(item, label, fields{
			"on":      note("on", func(n *node) { d.occasions(n, label+".on", &rule.On) }),
			"webhook": note("webhook", func(n *node) { d.webhook(n, label+".webhook", &rule.Webhook) }),
			"notify":  note("notify", func(n *node) { d.notify(n, label+".notify", &rule.Notify) }),
			"every":   func(n *node) { d.duration(n, label+".every", time.Second, &rule.Every) },
			"quiet":   func(n *node) { d.quiet(n, label+".quiet", &rule.Quiet) },
			"servers": func(n *node) {
				if n.kind != list {
					d.wants(n, label+".servers", "a list of servers such as [api]")
					return
				}
				for _, item := range n.items {
					if name, ok := d.word(item, label+".servers", "api"); ok {
						rule.Servers = append(rule.Servers, name)
						servers = append(servers, named{name, label + ".servers", item.at})
					}
				}
			},
		})
		switch {
		case item.kind != object:
			continue
		case !given["on"]:
			d.add(item.at, label, "says not on what: write on: [crash, give_up]")
		case given["webhook"] == given["notify"]:
			d.add(item.at, label, `wants one target: write webhook: "https://…" or notify: "ntfy://…"`)
		}
		*into = append(*into, rule)
	}
	return servers
}

func (d *decoder) occasions(n *node, label string, into *[]services.AlertOn) {
	if n.kind != list {
		d.wants(n, label, "a list such as [crash, give_up]")
		return
	}
	if len(n.items) == 0 {
		d.add(n.at, label, "is empty: write what to tell of, such as [crash, give_up]")
	}
	for _, item := range n.items {
		var on services.AlertOn
		choice(d, item, label, &on, services.AlertOccasions...)
		if on != "" && !slices.Contains(*into, on) {
			*into = append(*into, on)
		}
	}
}

func (d *decoder) webhook(n *node, label string, into *string) {
	value, ok := d.text(n, label, `"https://example.com/hook"`)
	if !ok {
		return
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		d.add(n.at, label, "wants an address that begins with https:// or http:// and names a host")
		return
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !services.Tellable(ip) {
		d.add(n.at, label, "names %s, where no alert is sent: link-local addresses and those of a cloud's metadata are refused, so write another one", ip)
		return
	}
	*into = value
}

func (d *decoder) notify(n *node, label string, into *string) {
	value, ok := d.text(n, label, `"ntfy://ntfy.sh/topic"`)
	if !ok {
		return
	}
	u, err := url.Parse(value)
	if err != nil || u.Scheme == "" {
		d.add(n.at, label, `wants the address of a notification service such as "ntfy://ntfy.sh/topic"`)
		return
	}
	if !slices.Contains(notifySchemes, u.Scheme) {
		hint := "the services are " + strings.Join(notifySchemes, ", ")
		if near := nearest(u.Scheme, notifySchemes); near != "" {
			hint = "did you mean " + near + "?"
		}
		d.add(n.at, label, "names %s://, which is no notification service that is known here: %s", quoteCut(u.Scheme, ""), hint)
		return
	}
	if d.checkNotify != nil {
		if err := d.checkNotify(value); err != nil {
			d.add(n.at, label, "is no address as %s wants it (%v): write it as https://github.com/nicholas-fedor/shoutrrr says", u.Scheme, err)
			return
		}
	}
	*into = value
}

// quiet reads a span of the day such as 22:00-07:00.
func (d *decoder) quiet(n *node, label string, into *services.QuietHours) {
	value, ok := d.text(n, label, `"22:00-07:00"`)
	if !ok {
		return
	}
	first, last, _ := strings.Cut(value, "-")
	from, err1 := time.Parse("15:04", strings.TrimSpace(first))
	to, err2 := time.Parse("15:04", strings.TrimSpace(last))
	if err1 != nil || err2 != nil || from.Equal(to) {
		d.add(n.at, label, `wants two times of the day such as "22:00-07:00", not %s`, quoteCut(value, `"`))
		return
	}
	midnight, _ := time.Parse("15:04", "00:00") //nolint:errcheck // a constant
	*into = services.QuietHours{From: from.Sub(midnight), To: to.Sub(midnight)}
}

// checkNamed reports names that are no server.
func (d *decoder) checkNamed(drafts []*draft, list []named) {
	names := make([]string, len(drafts))
	for i, s := range drafts {
		names[i] = s.Name
	}
	for _, one := range list {
		if slices.Contains(names, one.name) {
			continue
		}
		hint := "write the name of a server of this file"
		if near := nearest(one.name, names); near != "" {
			hint = "did you mean " + near + "?"
		}
		d.add(one.at, one.label, "names %s, which is no server of this file: %s", quoteCut(one.name, `"`), hint)
	}
}
