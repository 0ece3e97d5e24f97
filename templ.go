// Package tend is the root of a process manager: it starts, watches and stops
// the long-running servers of one machine, from a browser, a shell or a
// script, and does not lose them when it dies itself.
//
// This page is the architecture. The program is cmd/tend; nothing else is in
// this package but the version.
//
// # Words
//
// They mean the same in code, pages, command line and documentation. A Server
// is what the user configured: a name and a command. A Run is one incarnation
// of it. Want is what the operator asked for, up or down; Phase is what is.
// Health is true, false or unknown. An Exit is how a run ended, and whether
// anybody saw it. An Event is something that happened, in the past tense, with
// the whole Status after it. A Fragment is a piece of HTML with a stable id
// that is pushed to browsers.
//
// # The house
//
//	cmd/tend               the one binary; serve.go is the only place where things are joined
//	handlers               HTTP in, services called, views out; every route on one screen
//	handlers/hub           the websocket hub: knows fragments, neither servers nor HTML
//	handlers/api           the REST surface and its openapi.yaml
//	handlers/metrics       what Prometheus reads
//	views                  layout, pages, partials (templ); model says in Go what the screen says
//	services               the vocabulary: Server, Status, Event, Error, Control
//	services/failpoint     steps at which tests have the manager die; nothing without a build tag
//	services/certs         the certificate of the dashboard, from files or self-signed
//	services/config        tend.yaml -> an immutable, validated value
//	services/process       one live process: start, adopt, watch, signal, stop the tree
//	services/orchestrator  one unit per server; the pure state machine; dependencies
//	services/monitor       ports, probes and samples; reports, never restarts anything
//	services/history       what people look at of the past: events, runs, samples; may be lost
//	services/alerts        tells people, by webhook or notification service
//	services/secrets       reads values that the configuration only refers to, and hides them
//	services/access        who may come in, and what that one may see and do
//	services/state         what is needed in order to act after a crash
//	services/logs          retention, tail and follow of what servers write
//	services/events        the bus: one order, never blocks the publisher
//	services/remote        Control over REST: the command line's client
//	static                 style, scripts and htmx, embedded
//
// Arrows point down: cmd, handlers, views, services. The trades below services
// do not know each other; only the orchestrator joins them. arrows_test.go
// holds the table of who may import what, and fails on anything else.
//
// # One server, one unit, one pure machine
//
// What is to happen with a server is decided by a value: the machine takes an
// event and returns the next machine and a list of effects. It has no clock,
// no lock and does no I/O, so a test can walk all of its states. A unit owns one
// machine and carries its effects out, one at a time, in a goroutine that it has
// only while there is something to do; everybody else puts events into its inbox
// and wakes it, or reads its last Status, which nobody changes any more. Restart
// is stopping while wanted.
//
// # Processes outlive the manager
//
// A server runs in its own session and writes straight into its log file, so
// no pipe breaks when the manager dies. It is watched through a pidfd, which
// works the same for a child and for a process that an earlier manager had
// started. Whose process is it? A control group says it best; where there is
// none, recorded identities, sessions and a mark in the environment do, and
// the status says which of them holds. Stop means the whole tree: only when
// nothing of it is left is a server stopped.
//
// # State is written before it is shown
//
// For each server, what has to survive is in one small file that is replaced
// as a whole: want, run, identities, exit. A damaged file is set aside and
// what it held is found again by looking at the machine. A lock keeps two
// managers out of one directory.
//
// # What is well, and what was
//
// A probe asks at intervals, a sampler measures every process tree in one
// pass, a server may speak by sd_notify. All of them report to the unit, whose
// machine knows two things of it: a run was found ready, or it is doomed and
// counts as a failure however it ends. Everything that happens goes to the bus,
// and from there to history, to those who are told, and to the metrics, none of
// which can delay a server. A reload gives units other settings and links; the
// plan of it is made first, from both configurations, field by field.
//
// # From a click to a pixel
//
// A click is a form that is posted: handler, Control, unit, machine, effect;
// the answer is the row as it is now. The same change goes to the bus, from
// there to the pusher, which renders each changed fragment once, and to the
// hub, which keeps the newest rendering for whoever is slow or comes late.
// Everything works without JavaScript and without the websocket.
//
// # Who may do what
//
// Who is asking is found once, at the root of handlers: the unix socket tells
// it, a token, a session, or the kernel, which knows whose process is at the
// other end of a loopback connection. It goes with the context of the request.
// The role that a route needs stands beside the route; what somebody may not
// see is not there for that one, wherever servers are listed, read or acted on;
// and every change leaves a line that says who asked for it.
//
// # Errors
//
// services.Error has a kind from a closed list and a sentence for people. One
// adapter turns kinds into HTTP statuses, the command line turns them into
// exit codes, and services/remote rebuilds the same error on the other side.
package tend

//go:generate go tool templ generate

// Version is what `tend version` and the pages show.
const Version = "0.1.0"
