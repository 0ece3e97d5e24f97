package model

import (
	"slices"
	"strings"

	"tend/services"
)

// Ask is a question before something is done to several servers.
type Ask struct {
	Action     string
	Title      string
	Hint       string
	Names      []string
	Dependents string // what else needs them, "" for nothing or where that does not matter
	Yes        string
	Danger     bool
}

var asks = map[services.Action]struct{ verb, hint string }{
	services.Start:   {"Start", "What they depend on is started, too."},
	services.Stop:    {"Stop", "They get their stop signal, and SIGKILL when they do not obey in time."},
	services.Restart: {"Restart", "Each is stopped, then started again."},
	services.Kill:    {"Kill", "SIGKILL ends them at once: they cannot save anything."},
}

// AskOf returns the question whether to act on the servers with these names.
// All of them must exist; dependents are the others that need one of them.
func AskOf(action services.Action, names, dependents []string) Ask {
	words := asks[action]
	out := Ask{Action: string(action), Hint: words.hint, Names: names, Danger: action == services.Kill}
	what := itoa(len(names)) + " servers"
	if len(names) == 1 {
		what = names[0]
	}
	out.Yes = words.verb + " " + what
	out.Title = out.Yes + "?"
	if action == services.Stop || action == services.Kill {
		out.Dependents = strings.Join(slices.Sorted(slices.Values(dependents)), ", ")
	}
	return out
}

// Done says what was asked for, once it is.
func (a Ask) Done() string {
	return asks[services.Action(a.Action)].verb + ": asked of " + strings.Join(a.Names, ", ")
}
