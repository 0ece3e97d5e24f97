// Package logs keeps what the servers write, and gives it back line by line.
//
// # Who writes
//
// A server writes straight into <dir>/<server>.log, opened O_APPEND by Begin
// and inherited as its stdout and stderr. Nobody copies a byte: a slow, stopped
// or dead manager never blocks a server. The manager only ever removes the head
// of a file, and adds one newline where a run ended in the middle of a line.
package logs
