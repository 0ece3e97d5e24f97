// Package controltest says what every services.Control has to do: one suite,
// run against the orchestrator, against services/remote, and against the Fake
// that is also here for the tests of whoever calls a Control.
package controltest
