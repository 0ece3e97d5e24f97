package handlers

import (
	"net"
	"net/http"

	"tend/services/access"
)

// actor names who a request is from and where that is, for the record.
func actor(r *http.Request, s access.Subject) string {
	p := peerOf(r)
	if p.socket && (s.Via == access.ViaSocket || s.Role == "") {
		return "cli" + p.named()
	}
	from := "rest " + address(r)
	switch {
	case p.socket:
		from = "socket"
	case r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("HX-Request") != "" || r.Header.Get("Origin") != "":
		from = "browser " + address(r)
	}
	if s.Name != "" && s.Via != access.ViaLocal {
		return s.Name + ", " + from
	}
	return from
}

// address is where a request comes from, without a port.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
