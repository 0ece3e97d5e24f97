package config

import (
	"path/filepath"
	"slices"
	"strings"

	"tend/services"
)

const secretExample = "{secret: {file: ./key}} or {secret: {command: [./tell, key]}}"

// secret reads where the value of a variable comes from. It does not read the
// value, and no problem repeats what was found instead: that may be the value,
// written where its place belongs.
func (d *decoder) secret(n *node, label string) (s services.Secret, ok bool) {
	if len(n.entries) != 1 || n.entries[0].key != "secret" {
		d.add(n.at, label, "wants a value such as debug, or %s", secretExample)
		return s, false
	}
	n, label = n.entries[0].value, label+".secret"
	if n.kind != object {
		d.add(n.at, label, "wants the place of the secret and not the secret: write %s", secretExample)
		return s, false
	}
	before := d.noted()
	var fileAt, commandAt, sharedAt place
	d.object(n, label, fields{
		"file": func(n *node) { fileAt = n.at; d.path(n, label+".file", "./key", &s.File) },
		"command": func(n *node) {
			commandAt = n.at
			if n.kind != list {
				d.add(n.at, label+".command", "wants a list that runs as it is, without a shell, such as [./tell, key]")
				return
			}
			var command services.Command
			d.command(n, label+".command", &command)
			s.Command, s.Dir = command.Argv, d.dir
		},
		"shared": func(n *node) { sharedAt = n.at; d.truth(n, label+".shared", &s.Shared) },
	})
	none := place{}
	switch {
	case d.noted() > before: // reported
	case fileAt != none && commandAt != none:
		d.add(commandAt, label, "has a file and a command: keep one of them")
	case fileAt == none && commandAt == none:
		d.add(n.at, label, "does not say where the value is: write %s", secretExample)
	case sharedAt != none && fileAt == none:
		d.add(sharedAt, label+".shared", "is about a file: remove it")
	}
	if len(s.Command) > 0 && strings.Contains(s.Command[0], "/") && !filepath.IsAbs(s.Command[0]) {
		s.Command = slices.Clone(s.Command)
		s.Command[0] = filepath.Join(d.dir, s.Command[0])
	}
	return s, d.noted() == before
}
