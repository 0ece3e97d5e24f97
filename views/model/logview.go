package model

import (
	"net/url"
	"slices"
	"strings"
)

// FewLogs is how many logs are shown together when nobody has chosen any.
const FewLogs = 8

// LogPiece is some lines, with the places before the first and after the last.
type LogPiece struct {
	Entries     []Entry
	First, Next string
	Middle      string // the place of the line that was asked for, "" for none
	Problem     string // why nothing is searched for, a sentence
	Begin, End  bool   // there is nothing before, after them
}

// LogView is a page of lines of one log or several.
type LogView struct {
	Servers []string // whose logs are shown, none while somebody has to choose
	Merged  bool
	Choices []Choice // of servers, where several can be shown
	Piece   LogPiece
	Level   Level
	Text    string // what is searched for
	Exact   bool   // as a regular expression
	Only    bool   // only lines that have it
	Problem string // why there is no search, a sentence
	Time    string // that was asked for

	Path, Params           string // of the page: Params goes into every address
	Window, Stream, Search string // addresses for the script
	Download               string // "" where there is not one log
	Older, Newer, Newest   string // addresses of other pages, "" for none
}

// Choose sets which servers there are, and which are shown.
func (v *LogView) Choose(all, shown []string) {
	v.Merged = true
	for _, name := range all {
		v.Choices = append(v.Choices, Choice{Value: name, Text: name, Chosen: slices.Contains(shown, name)})
	}
}

// Of sets what is shown, and the addresses of what lies beside it.
func (v *LogView) Of(path string, params url.Values, servers []string, p LogPiece) {
	v.Path, v.Params, v.Servers, v.Piece = path, params.Encode(), servers, p
	with := func(end string, q url.Values) string {
		if len(q) == 0 {
			return path + end
		}
		return path + end + "?" + q.Encode()
	}
	v.Window, v.Stream, v.Search = with("/window", params), with("/stream", params), with("/search", params)
	if len(servers) == 1 {
		v.Download = "/servers/" + servers[0] + "/logs/download"
	}
	place := url.Values{}
	for name, list := range params {
		place[name] = list
	}
	for name, value := range map[string]string{"level": v.Level.Key(), "q": v.Text, "re": yes(v.Exact), "only": yes(v.Only)} {
		if value != "" {
			place.Set(name, value)
		}
	}
	v.Newest = with("", place)
	if !p.Begin {
		place.Set("before", p.First)
		v.Older = with("", place)
		place.Del("before")
	}
	if !p.End {
		place.Set("after", p.Next)
		v.Newer = with("", place)
	}
}

// Shown names the servers whose logs are shown.
func (v *LogView) Shown() string {
	if n := len(v.Servers); n > 4 {
		return "Logs of " + itoa(n) + " servers"
	}
	return "Logs of " + strings.Join(v.Servers, ", ")
}

func yes(b bool) string {
	if b {
		return "1"
	}
	return ""
}

// Levels are what the filter by level offers.
func (v *LogView) Levels() []Choice {
	out := []Choice{{Value: "", Text: "all lines"}}
	for _, c := range []struct {
		level Level
		text  string
	}{{LevelDebug, "debug and up"}, {LevelInfo, "info and up"}, {LevelWarn, "warnings and up"}, {LevelError, "errors"}} {
		out = append(out, Choice{Value: c.level.Key(), Text: c.text})
	}
	for i := range out {
		out[i].Chosen = out[i].Value == v.Level.Key()
	}
	return out
}

// SearchText says how far a search is: bytes done of all, and what it found,
// of which only so many are led to.
func SearchText(done, all int64, hits, most int, ended bool) string {
	text := "nothing"
	switch {
	case hits == 1:
		text = "1 line"
	case hits > most:
		text = itoa(hits) + " lines, of which the newest " + itoa(most) + " can be gone through"
	case hits > 1:
		text = itoa(hits) + " lines"
	}
	if ended {
		return "Found " + text + "."
	}
	percent := int64(0)
	if all > 0 {
		percent = done * 100 / all
	}
	return "Searching, " + itoa(int(percent)) + " %: found " + text + " so far."
}
