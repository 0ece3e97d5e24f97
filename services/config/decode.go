package config

import (
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// decoder reads values of the tree. It notes problems and goes on, so that
// all of them are found in one pass.
type decoder struct {
	*report
	lookup      Lookup
	checkNotify func(address string) error // nil for nobody
	dir         string
	spent       int

	written map[string]int // the line of each key of the server that is read, nil outside of one
}

// budget bounds the work and the memory that a small file can ask for by
// repeating a large value through anchors and defaults.
const budget = 3_000_000

// spend takes from the budget and reports whether something was left.
func (d *decoder) spend(at place, amount int) bool {
	if d.spent > budget {
		return false
	}
	if d.spent += amount; d.spent > budget {
		d.add(at, "", "the anchors or defaults of this file repeat too much: together they stand for more than %d values; write less of it with them", budget)
		return false
	}
	return true
}

// fields says what reads the value of each key that a map may have.
type fields map[string]func(*node)

// object reads a map: each key by its function.
func (d *decoder) object(n *node, label string, known fields) {
	if n.kind != object {
		d.wants(n, label, "a map with one or more of "+strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		return
	}
	if !d.spend(n.at, len(n.entries)) {
		return
	}
	for _, e := range n.entries {
		key := e.key
		if label != "" {
			key = label + separator(label) + e.key
		}
		if read, ok := known[e.key]; ok {
			d.note(key, e.at)
			read(e.value)
			continue
		}
		key = quoteCut(key, "")
		d.unknown(e, key, known)
	}
}

// note remembers where a key of a server is written: key has its label before
// it.
func (d *decoder) note(key string, at place) {
	if d.written == nil {
		return
	}
	if _, below, ok := strings.Cut(key, ": "); ok {
		d.written[below] = at.line
	}
}

func (d *decoder) unknown(e entry, key string, known fields) {
	names := slices.Sorted(maps.Keys(known))
	if near := nearest(e.key, names); near != "" {
		d.add(e.at, key, "is not a key that is known here: did you mean %q?", near)
		return
	}
	if key == e.key && slices.Contains(serverKeys, e.key) {
		d.add(e.at, key, "belongs to a server, or under defaults: write it below servers: NAME:")
		return
	}
	d.add(e.at, key, "is not a key that is known here: the keys are %s", strings.Join(names, ", "))
}

// separator joins a label with a key: "api" + ": " + "stop" + "." + "signal".
func separator(label string) string {
	if strings.Contains(label, ": ") || topLevel[label] || strings.HasPrefix(label, "alerts[") {
		return "."
	}
	return ": "
}

var topLevel = map[string]bool{"monitor": true, "history": true, "tls": true, "auth": true}

// wants says what was expected and what was found.
func (d *decoder) wants(n *node, label, what string) {
	d.add(n.at, label, "wants %s, not %s", what, found(n))
}

func found(n *node) string {
	switch n.kind {
	case null:
		return "nothing"
	case list:
		return "a list"
	case object:
		return "a map"
	case integer, float:
		return "the number " + quoteCut(n.text, "")
	case boolean:
		return quoteCut(n.text, "")
	}
	return "the text " + quoteCut(n.text, `"`)
}

// expand fills variables in. Its second result says whether the value is good.
func (d *decoder) expand(n *node, label string) (string, bool) {
	if !d.spend(n.at, len(n.text)/64+1) {
		return "", false
	}
	value, err := expand(n.text, d.lookup)
	if err != nil {
		d.add(n.at, label, "%v", err)
		return "", false
	}
	if strings.ContainsRune(value, 0) {
		d.add(n.at, label, "holds a NUL character, which no program can be given: remove it")
		return "", false
	}
	return value, true
}

// text reads a value that has to be text.
func (d *decoder) text(n *node, label, example string) (string, bool) {
	if n.kind != text {
		if n.kind < list && n.kind != null {
			d.add(n.at, label, "wants text, not %s: put it in quotes", found(n))
		} else {
			d.wants(n, label, "text such as "+example)
		}
		return "", false
	}
	return d.expand(n, label)
}

// word reads a scalar of any sort as it was written.
func (d *decoder) word(n *node, label, example string) (string, bool) {
	if n.kind == null || n.kind >= list {
		d.wants(n, label, "text such as "+example)
		return "", false
	}
	return d.expand(n, label)
}

// plain reads a scalar that has to be of a kind, or text with variables that
// turns into one.
func (d *decoder) plain(n *node, label, what string, kinds ...kind) (string, bool) {
	if slices.Contains(kinds, n.kind) || n.kind == text && strings.Contains(n.text, "${") {
		return d.expand(n, label)
	}
	d.wants(n, label, what)
	return "", false
}

func (d *decoder) number(n *node, label string, least, most int64) (int64, bool) {
	what := "a number from " + strconv.FormatInt(least, 10) + " to " + strconv.FormatInt(most, 10)
	value, ok := d.plain(n, label, what, integer)
	if !ok {
		return 0, false
	}
	i, err := strconv.ParseInt(value, 10, 64)
	if err != nil || i < least || i > most {
		d.add(n.at, label, "wants %s, not %s", what, quoteCut(value, ""))
		return 0, false
	}
	return i, true
}

func (d *decoder) truth(n *node, label string, into *bool) {
	value, ok := d.plain(n, label, "true or false", boolean)
	if !ok {
		return
	}
	switch value {
	case "true", "True", "TRUE":
		*into = true
	case "false", "False", "FALSE":
		*into = false
	default:
		d.add(n.at, label, "wants true or false, not %s", quoteCut(value, `"`))
	}
}

// choice reads one word of several.
func choice[T ~string](d *decoder, n *node, label string, into *T, choices ...T) {
	words := make([]string, len(choices))
	for i, c := range choices {
		words[i] = string(c)
	}
	what := "one of " + strings.Join(words, ", ")
	if n.kind != text {
		d.wants(n, label, what)
		return
	}
	value, ok := d.expand(n, label)
	switch {
	case !ok:
	case slices.Contains(choices, T(value)):
		*into = T(value)
	case nearest(value, words) != "":
		d.add(n.at, label, "wants %s, not %s: did you mean %q?", what, quoteCut(value, `"`), nearest(value, words))
	default:
		d.add(n.at, label, "wants %s, not %s", what, quoteCut(value, `"`))
	}
}

// longest bounds every duration, so that sums of them cannot overflow.
const longest = 10_000 * time.Hour

func (d *decoder) duration(n *node, label string, least time.Duration, into *time.Duration) {
	value, ok := d.plain(n, label, `a duration such as "3s"`, text, integer, float)
	if !ok {
		return
	}
	if _, err := strconv.ParseFloat(value, 64); err == nil && value != "0" {
		d.add(n.at, label, "wants a unit: write %ss for seconds or %sms for milliseconds", quoteCut(value, ""), quoteCut(value, ""))
		return
	}
	t, err := time.ParseDuration(value)
	switch {
	case err != nil:
		d.add(n.at, label, "wants a duration such as 500ms, 3s or 1m30s, not %s", quoteCut(value, `"`))
	case t < least:
		d.add(n.at, label, "has to be at least %s, not %s", least, t)
	case t > longest:
		d.add(n.at, label, "has to be at most %s, not %s", longest, t)
	default:
		*into = t
	}
}

// days reads a duration that may as well be a number of days.
func (d *decoder) days(n *node, label string, into *time.Duration) {
	number, isDays := strings.CutSuffix(n.text, "d")
	if days, err := strconv.Atoi(number); n.kind == text && isDays && err == nil && days > 0 && days <= 3650 {
		*into = time.Duration(days) * 24 * time.Hour
		return
	}
	value, ok := d.plain(n, label, `a time such as "30d"`, text, integer, float)
	if !ok {
		return
	}
	t, err := time.ParseDuration(value)
	switch {
	case err == nil && t >= time.Hour && t <= 3650*24*time.Hour:
		*into = t
	case n.kind == integer && value != "0":
		d.add(n.at, label, "wants a unit: write %sd for days or %sh for hours", quoteCut(value, ""), quoteCut(value, ""))
	default:
		d.add(n.at, label, "wants a time from 1h to 3650d such as 30d, not %s", quoteCut(value, `"`))
	}
}

func (d *decoder) size(n *node, label string, least int64, into *int64) {
	value, ok := d.plain(n, label, `a size such as "64MB"`, text, integer, float)
	if !ok {
		return
	}
	if number, err := strconv.ParseFloat(value, 64); err == nil && number > 0 {
		d.add(n.at, label, "wants a unit: write %sMB for megabytes or %skB for kilobytes", quoteCut(value, ""), quoteCut(value, ""))
		return
	}
	bytes, err := parseSize(value)
	switch {
	case err != nil:
		d.add(n.at, label, "%v", err)
	case bytes < least:
		d.add(n.at, label, "has to be at least %dkB, not %s", least/1000, quoteCut(value, ""))
	default:
		*into = bytes
	}
}

// path reads a file name; a relative one is relative to the configuration.
func (d *decoder) path(n *node, label, example string, into *string) {
	value, ok := d.text(n, label, example)
	switch {
	case !ok:
	case value == "":
		d.add(n.at, label, "is empty: write a path such as %s, or remove the key", example)
	case value == "~" || strings.HasPrefix(value, "~/"):
		d.add(n.at, label, "begins with ~, which only a shell understands: write ${HOME}%s", quoteCut(value[1:], ""))
	case filepath.IsAbs(value):
		*into = filepath.Clean(value)
	default:
		*into = filepath.Join(d.dir, value)
	}
}

func (d *decoder) listen(n *node, into *string) {
	if n.kind == integer {
		d.add(n.at, "listen", "wants an address and a port: write 127.0.0.1:%s", quoteCut(n.text, ""))
		return
	}
	value, ok := d.text(n, "listen", DefaultListen)
	if !ok {
		return
	}
	if err := CheckListen(value); err != nil {
		d.add(n.at, "listen", "%v", err)
		return
	}
	*into = value
}
