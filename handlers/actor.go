package handlers

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os/user"
	"strconv"

	"tend/handlers/api"
)

// ConnContext notes who is at the other end of a connection to the unix
// socket, for http.Server.ConnContext.
func ConnContext(ctx context.Context, c net.Conn) context.Context {
	socket, ok := c.(*net.UnixConn)
	if !ok {
		return ctx
	}
	return context.WithValue(ctx, keySocketUser, "cli"+userOf(socket))
}

// userOf names the user of the process at the other end, with a space before
// it; nothing where the kernel does not tell.
func userOf(c *net.UnixConn) string {
	uid, ok := peer(c)
	if !ok {
		return ""
	}
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return fmt.Sprintf(" %s (uid %s)", u.Username, id)
	}
	return " uid " + id
}

func onSocket(r *http.Request) bool { return r.Context().Value(keySocketUser) != nil }

// attributed notes who a request is from, for the record.
func (h *handler) attributed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(api.WithActor(r.Context(), actor(r))))
	})
}

func actor(r *http.Request) string {
	if who, ok := r.Context().Value(keySocketUser).(string); ok {
		return who
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	if r.Header.Get("Sec-Fetch-Site") != "" || r.Header.Get("HX-Request") != "" || r.Header.Get("Origin") != "" {
		return "browser " + host
	}
	return "rest " + host
}
