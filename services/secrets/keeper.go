// Package secrets reads the values that the configuration only refers to, and
// keeps them out of everything that people are shown.
//
// A value lives in this process's memory and in the environment of the server
// it is for, nowhere else: it is never part of a services.Server, of a status,
// of an event or of a file of ours. Whatever shows text that came from outside
// (a command line, the last words of a server, what a check printed) passes it
// through Hide first.
//
// Hide knows what it was taught: the values of this manager's starts, and those
// that an earlier manager's servers run with. It finds a value where it stands
// whole, also in the quoted and the escaped form in which our own sentences
// may hold it. It cannot find one that a server has encoded or torn apart.
package secrets

import (
	"fmt"
	"log/slog"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"tend/services"
)

const (
	// Hidden stands where a value stood.
	Hidden = "[secret]"

	// Shorter values are not hidden: they would blank out half of a page, and
	// tell by that what they are.
	least = 6
	// Of a value of several lines, as keys are, each line is hidden that is
	// not so short that it could be anything.
	leastLine = 12

	older = 4 // values of a variable that are remembered beside the present one
)

// Keeper knows the values. Everybody may call its methods.
type Keeper struct {
	report func(services.Event)
	veil   atomic.Pointer[strings.Replacer] // nil while there is nothing to hide

	mu     sync.Mutex                   // guards what follows
	values map[string]map[string]string // of the last start, by server and variable
	known  map[string][]string          // by server/variable, the newest last
}

// New makes a keeper that knows nothing. It reports what it cannot hide.
func New(report func(services.Event)) *Keeper {
	return &Keeper{report: report, values: map[string]map[string]string{}, known: map[string][]string{}}
}

// Values returns the values that the last start of a server has read.
func (k *Keeper) Values(server string) map[string]string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return maps.Clone(k.values[server])
}

// Learn keeps values that a server is known to run with.
func (k *Keeper) Learn(server string, values map[string]string) {
	k.mu.Lock()
	all := map[string]string{}
	maps.Copy(all, k.values[server])
	maps.Copy(all, values)
	short := k.keep(server, all)
	k.mu.Unlock()
	k.tell(server, short)
}

// replace keeps the values of a start, and no others as those of the server.
func (k *Keeper) replace(server string, values map[string]string) {
	k.mu.Lock()
	short := k.keep(server, values)
	k.mu.Unlock()
	k.tell(server, short)
}

func (k *Keeper) tell(server string, short []string) {
	for _, name := range short {
		k.report(services.Event{Kind: services.EventManager, Server: server,
			Message: fmt.Sprintf("%s: the secret %s has fewer than %d characters, so it is not hidden where it is shown", server, name, least)})
	}
}

// keep returns the names of those that are new and too short. k.mu is held.
func (k *Keeper) keep(server string, values map[string]string) (short []string) {
	k.values[server] = values
	news := false
	for name, value := range values {
		key := server + "/" + name
		list := k.known[key]
		if value == "" || slices.Contains(list, value) {
			continue
		}
		if len(value) < least {
			short = append(short, name)
		}
		k.known[key] = append(list[max(0, len(list)-older):len(list):len(list)], value)
		news = true
	}
	if news {
		k.veil.Store(k.newVeil())
	}
	return short
}

// newVeil makes what hides all that is known. k.mu is held.
func (k *Keeper) newVeil() *strings.Replacer {
	texts := map[string]bool{}
	for _, list := range k.known {
		for _, value := range list {
			for _, form := range forms(value) {
				texts[form] = true
			}
		}
	}
	if len(texts) == 0 {
		return nil
	}
	// At one place the first that fits wins: the longest.
	sorted := slices.SortedFunc(maps.Keys(texts), func(a, b string) int { return len(b) - len(a) })
	pairs := make([]string, 0, 2*len(sorted))
	for _, text := range sorted {
		pairs = append(pairs, text, Hidden)
	}
	return strings.NewReplacer(pairs...)
}

// forms returns the texts in which a value may be met.
func forms(value string) (out []string) {
	add := func(text string, least int) {
		if len(text) < least {
			return
		}
		quoted := strconv.Quote(text)
		out = append(out, text, quoted[1:len(quoted)-1], url.QueryEscape(text), url.PathEscape(text))
	}
	add(value, least)
	if strings.Contains(value, "\n") {
		for line := range strings.Lines(value) {
			add(strings.TrimSpace(line), leastLine)
		}
		add(strings.Join(strings.Fields(value), " "), least) // as a sentence of one line has it
	}
	return out
}

// Hide returns the text without any value that is known.
func (k *Keeper) Hide(text string) string {
	veil := k.veil.Load()
	if veil == nil {
		return text
	}
	return veil.Replace(text)
}

// HideBytes is Hide for a text that nobody may change. What it returns may be
// that text itself.
func (k *Keeper) HideBytes(text []byte) []byte {
	veil := k.veil.Load()
	if veil == nil {
		return text
	}
	return []byte(veil.Replace(string(text)))
}

// Attr hides values in an attribute of the manager's own log: see
// slog.HandlerOptions.ReplaceAttr.
func (k *Keeper) Attr(_ []string, a slog.Attr) slog.Attr {
	switch v := a.Value.Resolve(); v.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(k.Hide(v.String()))
	case slog.KindAny:
		text := v.String() // of an error its sentence
		if hidden := k.Hide(text); hidden != text {
			a.Value = slog.StringValue(hidden)
		}
	}
	return a
}

// describe names a secret in a sentence.
func describe(name string, from services.Secret) string {
	if from.File != "" {
		return "the secret " + name + " (file " + from.File + ")"
	}
	return "the secret " + name + " (" + strconv.Quote(from.Command[0]) + ")"
}
