// Package services is tend's vocabulary: the nouns that every other package
// speaks (Server, Status, Run, Exit, Event, Order, Error) and the one shared
// interface, Control. It imports the standard library only, starts no
// goroutine and does no I/O.
//
// The trades live in the packages below it. They import this package and not
// each other; only services/orchestrator joins them.
package services
