package config

import (
	"net/url"
	"regexp"
	"strings"
)

// secretNames are words of which a variable that holds a secret usually has
// one in its name.
var secretNames = regexp.MustCompile(`(?i)pass(w|ph|$|_)|pwd|secret|token|credential|private|key|auth|salt|cookie|session|signature|signing|dsn|jwt|cert|webhook`)

// secretShape is text that nobody has typed.
var secretShape = regexp.MustCompile(`^[A-Za-z0-9+/_=-]{20,}$`)

// mayBeSecret reports whether the value of a variable is better not shown.
// It rather hides too much.
func mayBeSecret(name, value string) bool {
	switch {
	case value == "":
		return false
	case secretNames.MatchString(name), strings.Contains(value, "PRIVATE KEY"):
		return true
	case secretShape.MatchString(value) && strings.ContainsAny(value, "0123456789") && !strings.HasPrefix(value, "/"):
		return true
	}
	u, err := url.Parse(value)
	return err != nil && strings.Contains(value, "://") && strings.Contains(value, "@") || err == nil && u.User != nil
}

// asWritten keeps the value of a variable as the file has it, where that names
// other variables: what those hold may be a secret, and where it comes from is
// told best by their names.
func (o *origin) asWritten(name, text string) {
	if !strings.Contains(text, "${") {
		delete(o.raw, name)
		return
	}
	if o.raw == nil {
		o.raw = make(map[string]string)
	}
	o.raw[name] = text
}
