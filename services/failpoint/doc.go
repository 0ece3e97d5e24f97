// Package failpoint names the steps between which a manager may die, so that
// tests can have it die exactly there. Without the build tag failpoints it is
// nothing: At is empty, and the compiler leaves it out.
package failpoint
