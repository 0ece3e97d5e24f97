package services

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Role is what somebody may do.
type Role string

// The roles. Each may what the ones before it may.
const (
	Viewer   Role = "viewer"   // looks
	Operator Role = "operator" // starts, stops, restarts, signals, reloads the plan that was shown
	Admin    Role = "admin"    // users, tokens, sessions, tests of alerts, the end of the manager
)

// Roles lists every role once, the one that may least first.
var Roles = []Role{Viewer, Operator, Admin}

// May reports whether the role is enough where another one is needed. What is
// no role may nothing.
func (r Role) May(need Role) bool {
	has, wants := slices.Index(Roles, r), slices.Index(Roles, need)
	return wants >= 0 && has >= wants
}

// User is somebody who signs in with a password.
type User struct {
	Name    string   `json:"name"`
	Role    Role     `json:"role"`
	Servers []string `json:"servers"` // what it sees, empty for all
	Added   Time     `json:"added"`
}

// UserChange is what becomes different of a user; nil for what stays.
type UserChange struct {
	Role     *Role
	Servers  *[]string
	Password *string
}

// Token is what a program shows instead of signing in.
type Token struct {
	Name    string   `json:"name"`
	Role    Role     `json:"role"`
	Servers []string `json:"servers"` // what it sees, empty for all
	Added   Time     `json:"added"`
	Expires Time     `json:"expires"`
	Used    Time     `json:"used"` // last; to the minute, where a manager was killed
}

// Session is a browser that has signed in.
type Session struct {
	ID    string `json:"id"` // names it, and opens nothing
	User  string `json:"user"`
	Role  Role   `json:"role"`
	From  string `json:"from"`  // the address that it was begun from
	Agent string `json:"agent"` // what the browser said it was
	Began Time   `json:"began"`
	Seen  Time   `json:"seen"` // last
	Ends  Time   `json:"ends"` // at the latest
}

// accountPattern is what users and tokens may be called.
var accountPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$`)

// ValidAccount reports whether a user or a token may be called that.
func ValidAccount(name string) bool { return accountPattern.MatchString(name) }

// ParseEnd reads when something ends: in so many days, such as 30d, after a
// time such as 12h, or at an instant such as 2030-01-02T15:04:05Z. Invalid; the
// sentence says what is wanted.
func ParseEnd(text string, now time.Time) (time.Time, error) {
	if number, ok := strings.CutSuffix(text, "d"); ok {
		if days, err := strconv.Atoi(number); err == nil && days > 0 && days < 1e5 {
			return now.AddDate(0, 0, days), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(d), nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil && at.After(now) {
		return at, nil
	}
	return time.Time{}, Errorf(Invalid, "a time from now on such as 30d or 12h, or an instant to come such as %s", now.AddDate(0, 1, 0).UTC().Format(time.RFC3339))
}
