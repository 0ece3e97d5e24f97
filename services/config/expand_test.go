package config

import (
	"strings"
	"testing"
)

func TestOnlyBracesAreVariables(t *testing.T) {
	env := environment("A", "a", "EMPTY", "", "DOLLAR", "$$ ${A}")
	for text, want := range map[string]string{
		"":                         "",
		"plain":                    "plain",
		"${A}":                     "a",
		"x${A}y${A}":               "xaya",
		"$A $1 $? $(pwd) $":        "$A $1 $? $(pwd) $",
		"$$":                       "$",
		"$${A}":                    "${A}",
		"$$$${A}":                  "$${A}",
		"$$${A}":                   "$a",
		"${EMPTY}":                 "",
		"${EMPTY:-full}":           "full",
		"${NONE:-}":                "",
		"${NONE:-a:-b}":            "a:-b",
		"${NONE:-${A}}":            "a",
		"${NONE:-${NONE:-${A}}!}":  "a!",
		"${A:-${NONE}}":            "a",
		"${DOLLAR}":                "$$ ${A}", // what a variable holds is not read again
		"${NONE:-http://x:1/$$id}": "http://x:1/$id",
	} {
		if got, err := expand(text, env); got != want || err != nil {
			t.Errorf("%q became %q (%v), want %q", text, got, err, want)
		}
	}
	for text, want := range map[string]string{
		"${NONE}":    "needs the variable NONE",
		"${}":        "has ${}, which is not a variable",
		"${A-b}":     "has ${A-b}, which is not a variable",
		"${A B}":     "has ${A B}, which is not a variable",
		"${A":        "has a ${ without a closing }",
		"${A:-${B}":  "has a ${ without a closing }",
		"a ${NONE}!": "needs the variable NONE",
		strings.Repeat("${X:-", 20) + strings.Repeat("}", 20): "has defaults nested more than 8 deep",
	} {
		if got, err := expand(text, env); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q became %q (%v), want %q", text, got, err, want)
		}
	}
}
