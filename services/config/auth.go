package config

import (
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"tend/services"
)

// auth reads who needs no login.
func (d *decoder) auth(n *node, into *Auth) {
	d.object(n, "auth", fields{
		"local": func(n *node) { choice(d, n, "auth.local", &into.Local, LocalOperator, LocalLogin) },
	})
}

// hostPattern is a name of a machine, without a port.
var hostPattern = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$`)

// hosts reads the names by which the dashboard is reached.
func (d *decoder) hosts(n *node, into *[]string) {
	if n.kind != list {
		d.wants(n, "hosts", "a list of names such as [tend.example.com]")
		return
	}
	if !d.spend(n.at, len(n.items)) {
		return
	}
	for _, item := range n.items {
		name, ok := d.text(item, "hosts", "tend.example.com")
		if !ok {
			continue
		}
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		if _, err := netip.ParseAddr(name); err != nil && (len(name) > 253 || !hostPattern.MatchString(name)) {
			d.add(item.at, "hosts", "wants names as browsers show them, without http:// and without a port, such as tend.example.com, not %s", quoteCut(name, `"`))
			continue
		}
		if !slices.Contains(*into, name) {
			*into = append(*into, name)
		}
	}
}

// CheckListen reports whether the dashboard can listen on an address. Port 0 is
// any free one. Invalid; the sentence follows "listen".
func CheckListen(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return services.Errorf(services.Invalid, "wants an address and a port such as %s, not %s", DefaultListen, quoteCut(address, `"`))
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return services.Errorf(services.Invalid, "wants a port from 0 to 65535 after the colon, not %s", quoteCut(port, `"`))
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "localhost" {
		return services.Errorf(services.Invalid, "wants localhost or an IP address before the colon, not %s: 0.0.0.0 is every address of this machine", quoteCut(host, `"`))
	}
	return nil
}

// Local reports whether only processes of this machine reach an address that
// CheckListen has let pass.
func Local(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
