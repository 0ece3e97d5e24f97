// Package model says in plain Go what the screen says: a Status becomes words,
// shapes, tones and the actions that make sense. Templates only place what
// they find here; they decide and calculate nothing.
//
// Everything is a pure function of its arguments; none of it knows the clock.
package model
