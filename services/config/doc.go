// Package config turns tend.yaml into an immutable, validated value.
//
// The file is parsed, not repaired: a key that is not known is an error and
// not a guess, and all problems of a file come at once, each with its place
// and a sentence that says what to do. Whoever holds a Config can rely on it:
// every default is filled in, every path is absolute, every dependency exists
// and there is no cycle.
//
// The way of a file: open (file.go: who owns it, how long is it) -> tree
// (tree.go, the only file that knows the YAML library: limits, anchors, merge
// keys, duplicate keys) -> decode (decode.go, server.go: one function for each
// key) -> check (graph.go: what only all servers together show). Variables are
// expanded when a value is read (expand.go), never in keys.
//
// Nothing here looks at the machine: whether a command, a directory or a user
// exists is found out at each start, because it can change in between.
package config
