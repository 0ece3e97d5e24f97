package config

import (
	"fmt"
	"slices"
	"strings"

	"tend/services"
)

// Problem is one thing that is wrong with a configuration file, in a sentence
// that says what to do. Line and Column count from 1; both are 0 where the
// problem is about the file as a whole.
type Problem struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Msg    string `json:"message"`
}

// String returns file:line:col: message, the form that editors can follow.
func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Msg
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Msg)
}

// Problems is all that is wrong with a file, in the order of its lines. As an
// error it is of kind Invalid.
type Problems []Problem

// Error returns one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives the problems their kind.
func (ps Problems) Unwrap() error { return services.Errorf(services.Invalid, "%s", ps.Error()) }

// maxProblems bounds what a hostile file can make us say.
const maxProblems = 200

// report collects problems while a file is read. One place can be reached
// several times, through an alias or a merge key; it is reported once.
type report struct {
	file string
	seen map[sighting]bool
	list Problems
	more int
}

type sighting struct {
	line, column int
	msg          string
}

// add notes a problem. The label names the value ("api: port"); it is left
// out when places are compared, since the same line read for two servers is
// one problem.
func (r *report) add(at place, label, format string, args ...any) {
	msg := fmt.Sprintf(format, args...)
	s := sighting{at.line, at.column, msg}
	if r.seen[s] {
		return
	}
	if r.full() {
		r.more++
		return
	}
	if r.seen == nil {
		r.seen = map[sighting]bool{}
	}
	r.seen[s] = true
	if label != "" {
		msg = label + " " + msg
	}
	r.list = append(r.list, Problem{File: r.file, Line: at.line, Column: at.column, Msg: msg})
}

// noted is how many problems there are.
func (r *report) noted() int { return len(r.list) + r.more }

// full reports whether further problems are only counted.
func (r *report) full() bool { return len(r.list) >= maxProblems }

// err returns the problems in the order of the file, nil when there are none.
func (r *report) err() error {
	if len(r.list) == 0 {
		return nil
	}
	slices.SortStableFunc(r.list, func(a, b Problem) int {
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return a.Column - b.Column
	})
	if r.more > 0 {
		r.list = append(r.list, Problem{File: r.file, Msg: fmt.Sprintf("and %d more problems: fix these first", r.more)})
		r.more = 0
	}
	return r.list
}
