package services

import (
	"errors"
	"fmt"
)

// Kind classifies an error by what the caller can do about it.
type Kind string

// The closed list of kinds.
const (
	NotFound    Kind = "not_found"   // there is no such thing
	Conflict    Kind = "conflict"    // not now: something stands in the way and is named
	Invalid     Kind = "invalid"     // the request itself is wrong
	Forbidden   Kind = "forbidden"   // the caller may not do this
	Unavailable Kind = "unavailable" // try again later, or elsewhere
	Internal    Kind = "internal"    // our fault: logged, never shown
)

// Kinds lists every kind once, for those who have to handle all of them.
var Kinds = []Kind{NotFound, Conflict, Invalid, Forbidden, Unavailable, Internal}

// Error is an error that people and programs can act on. Msg is a sentence
// for people; Err, if any, is the cause.
type Error struct {
	Kind Kind
	Msg  string
	Err  error
}

// Error returns the sentence and, where there is one, the cause.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Msg + ": " + e.Err.Error()
	}
	return e.Msg
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error whose sentence is formatted. There is no %w: set Err
// where a cause has to be kept.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Msg: fmt.Sprintf(format, args...)}
}

// KindOf returns the kind of the first Error in err's chain, Internal for
// any other error, and "" for nil.
func KindOf(err error) Kind {
	var e *Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e):
		return e.Kind
	}
	return Internal
}
