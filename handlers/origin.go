package handlers

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"tend/services"
)

// knownHost refuses requests that name this machine by a name that is not
// ours: a foreign page can make a browser resolve its own name to a loopback
// address. Whoever reaches the unix socket is no such page.
func (h *handler) knownHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !onSocket(r) && !h.knows(r) {
			h.fail(w, r, services.Errorf(services.Forbidden, "%.80q is not a name of this manager: use localhost or 127.0.0.1", r.Host))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// knows reports whether the Host of a request is ours, with any port.
func (h *handler) knows(r *http.Request) bool {
	host := r.Host
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	} else if strings.Trim(port, "0123456789") != "" {
		return false
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if ip, err := netip.ParseAddr(name); err == nil && ip.Zone() == "" && ip.Unmap().IsLoopback() {
		return true
	}
	return name == "localhost" || name != "" && slices.Contains(h.Hosts, name) || ownAddress(r, name)
}

// ownAddress reports whether a Host is the very address that a connection was
// made to: no foreign page has one of those.
func ownAddress(r *http.Request, name string) bool {
	ip, err := netip.ParseAddr(name)
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if err != nil || !ok {
		return false
	}
	at, err := netip.ParseAddrPort(local.String())
	return err == nil && at.Addr().Unmap().WithZone("") == ip.Unmap().WithZone("")
}

// sameOrigin refuses what a page of another origin makes a browser send:
// changes, handshakes of the websocket, streams. Only following a link from
// elsewhere to a page of ours is allowed.
func (h *handler) sameOrigin(next http.Handler) http.Handler {
	changes := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if changes.Check(r) != nil || foreignOrigin(r) || foreignFetch(r) {
			h.fail(w, r, services.Errorf(services.Forbidden, "a page of another origin may not do that: open the dashboard itself"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// foreignOrigin: programs that are no browsers send no Origin, and browsers
// send ours with whatever our pages do. A form of ours may send "null", but
// not without Sec-Fetch-Site.
func foreignOrigin(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || origin == "null" && r.Header.Get("Sec-Fetch-Site") == "same-origin" {
		return false
	}
	u, err := url.Parse(origin)
	if err == nil && r.TLS != nil && u.Scheme != "https" {
		return true // of this name, but from whoever answers for it without a certificate
	}
	return err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host != r.Host
}

// foreignFetch: another port of localhost is the same site but another origin.
func foreignFetch(r *http.Request) bool {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "", "same-origin", "none":
		return false
	}
	link := (r.Method == http.MethodGet || r.Method == http.MethodHead) &&
		r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	return !link
}

// maxBody is enough for an order that names a thousand servers.
const maxBody = 256 << 10

// plainForms lets bodies in only where they can be read: as a form that is not
// too long. An empty JSON object, as some programs always send, is no body.
func (h *handler) plainForms(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength == 0 {
			next.ServeHTTP(w, r)
			return
		}
		if r.ContentLength <= maxBody {
			if err := h.timelyBody(w, r); err != nil {
				h.fail(w, r, err)
				return
			}
		}
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		switch {
		case r.ContentLength > maxBody:
			h.fail(w, r, services.Errorf(services.Invalid, "the body is longer than %d kB", maxBody>>10))
		case r.Method == http.MethodPost && err == nil && kind == "application/json" && emptyObject(r.Body):
			r.Body, r.ContentLength = http.NoBody, 0
			next.ServeHTTP(w, r)
		case r.Method != http.MethodPost || err != nil || kind != "application/x-www-form-urlencoded":
			h.fail(w, r, services.Errorf(services.Invalid, "this body cannot be read: put parameters into the query, or send a form (application/x-www-form-urlencoded)"))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// emptyObject reports whether a body says nothing in JSON.
func emptyObject(body io.Reader) bool {
	const more = 64
	text, err := io.ReadAll(io.LimitReader(body, more))
	var object map[string]struct{}
	return err == nil && len(text) < more && (len(bytes.TrimSpace(text)) == 0 || json.Unmarshal(text, &object) == nil && len(object) == 0)
}
