package services

import (
	"strings"
	"unicode"
)

// OneLine keeps what a server or a stranger has written from playing with the
// terminal that it is shown in: what cannot be printed becomes a blank.
func OneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}
