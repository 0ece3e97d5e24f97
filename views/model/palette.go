package model

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tend/services"
)

// Palette is what matches some letters: servers, pages and actions.
type Palette struct {
	Query string
	Items []PaletteItem
}

// PaletteItem leads somewhere.
type PaletteItem struct {
	Name string
	Hint string
	Sign Sign // of a server
	URL  string
	Ask  bool // the answer is a question
}

// paletteLength is how many are worth reading.
const paletteLength = 12

// PaletteOf returns what matches best, the best first. Words are matched one by
// one, so that "re api" finds "Restart api". There is nothing in it that the role may not.
func PaletteOf(query string, list []services.Status, role services.Role) Palette {
	out := Palette{Query: query}
	type ranked struct {
		item PaletteItem
		cost int
	}
	var found []ranked
	try := func(item PaletteItem, handicap int) {
		if cost, ok := fuzzy(query, item.Name); ok {
			found = append(found, ranked{item, cost + handicap})
		}
	}
	for i := range list {
		s := &list[i]
		try(PaletteItem{Name: s.Name, Hint: s.Group, Sign: StateOf(s), URL: "/servers/" + s.ID}, 0)
	}
	for _, page := range append(PagesFor(string(role)), Page{"/keys", "Keys"}) {
		try(PaletteItem{Name: page.Name, Hint: "page", URL: page.Path}, 1)
	}
	if query != "" && role.May(services.Operator) { // each server has several: too many to begin with
		for i := range list {
			s := &list[i]
			try(PaletteItem{Name: "Log of " + s.Name, Hint: "page", URL: "/servers/" + s.ID + "/logs"}, 2)
			start, stop, restart, kill := actions(s)
			for _, a := range []Action{start, stop, restart, kill} {
				if a.Enabled {
					try(PaletteItem{Name: a.Label + " " + s.Name, Hint: "action", URL: "/bulk?action=" + string(a.Name) + "&id=" + s.ID, Ask: true}, 2)
				}
			}
		}
	}
	slices.SortStableFunc(found, func(a, b ranked) int { return a.cost - b.cost })
	for _, r := range found[:min(len(found), paletteLength)] {
		out.Items = append(out.Items, r.item)
	}
	return out
}

// fuzzy reports whether every word of a query is in a name, in any order, and
// how far that is from being the name itself: a beginning is better than the
// beginning of a word, that better than the middle of one, and letters that
// only follow each other are the worst.
func fuzzy(query, name string) (cost int, ok bool) {
	if query == "" {
		return 0, true
	}
	name = strings.ToLower(name)
	for word := range strings.FieldsSeq(strings.ToLower(query)) {
		c, fits := wordCost(word, name)
		if !fits {
			return 0, false
		}
		cost += c
	}
	return cost*100 + utf8.RuneCountInString(name), true
}

func wordCost(word, name string) (int, bool) {
	for from := 0; ; {
		i := strings.Index(name[from:], word)
		if i < 0 {
			break
		}
		i += from
		if i == 0 {
			return 0, true
		}
		if before, _ := utf8.DecodeLastRuneInString(name[:i]); !unicode.IsLetter(before) {
			return 1, true
		}
		_, size := utf8.DecodeRuneInString(name[i:])
		from = i + size
	}
	if strings.Contains(name, word) {
		return 3, true
	}
	rest := name
	for _, r := range word {
		i := strings.IndexRune(rest, r)
		if i < 0 {
			return 0, false
		}
		rest = rest[i+utf8.RuneLen(r):]
	}
	return 6, true
}
