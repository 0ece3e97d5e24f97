package config

import (
	"fmt"
	"regexp"
	"strings"
)

// Lookup finds a variable of the environment, as os.LookupEnv does.
type Lookup func(name string) (string, bool)

var variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

const (
	maxNested   = 8       // of defaults in defaults
	maxExpanded = 1 << 20 // bytes of one value
)

// expand replaces ${NAME} and ${NAME:-default}, and $$ by a dollar. Any other
// dollar stays as it is, so that $NAME still reaches the shell. The default
// is taken where the variable is unset or empty, and may hold variables.
func expand(s string, lookup Lookup) (string, error) {
	return expandNested(s, lookup, 0)
}

func expandNested(s string, lookup Lookup, depth int) (string, error) {
	if !strings.Contains(s, "$") {
		return s, nil
	}
	if depth > maxNested {
		return "", fmt.Errorf("has defaults nested more than %d deep: write fewer of them", maxNested)
	}
	var out strings.Builder
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 || i == len(s)-1 {
			out.WriteString(s)
			break
		}
		out.WriteString(s[:i])
		switch s[i+1] {
		case '$':
			out.WriteByte('$')
			s = s[i+2:]
		case '{':
			end := closingBrace(s[i+2:])
			if end < 0 {
				return "", fmt.Errorf("has a ${ without a closing }: write ${NAME}, or $${ for a literal ${")
			}
			value, err := expandOne(s[i+2:i+2+end], lookup, depth)
			if err != nil {
				return "", err
			}
			out.WriteString(value)
			s = s[i+2+end+1:]
		default:
			out.WriteByte('$')
			s = s[i+1:]
		}
		if out.Len() > maxExpanded {
			return "", fmt.Errorf("grows beyond %d bytes when its variables are filled in: shorten it", maxExpanded)
		}
	}
	return out.String(), nil
}

// expandOne resolves what stands between ${ and }.
func expandOne(inner string, lookup Lookup, depth int) (string, error) {
	name, fallback, hasFallback := strings.Cut(inner, ":-")
	if !variable.MatchString(name) {
		return "", fmt.Errorf("has %s, which is not a variable: write ${NAME} or ${NAME:-default}, or $${ for a literal ${", quoteCut("${"+inner+"}", ""))
	}
	value, ok := lookup(name)
	switch {
	case ok && (value != "" || !hasFallback):
		return value, nil
	case hasFallback:
		return expandNested(fallback, lookup, depth+1)
	}
	name = quoteCut(name, "")
	return "", fmt.Errorf("needs the variable %s, which is not set where tend runs: set it there, or write ${%s:-default}, or $${%s} to leave it to the shell", name, name, name)
}

// closingBrace finds the } that ends a ${, past those of nested ones.
func closingBrace(s string) int {
	open := 0
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '$' && i+1 < len(s) && s[i+1] == '{':
			open++
			i++
		case s[i] == '}' && open == 0:
			return i
		case s[i] == '}':
			open--
		}
	}
	return -1
}
