package model

import (
	"strings"

	"tend/services"
)

// Settings are what a server is configured to do, on the screen.
type Settings struct {
	File   string
	Groups []SettingGroup
	Drift  []services.Difference
	Lost   bool // it drifts, but nobody knows from what
	Before bool // the file says something else by now
}

// SettingGroup is some keys that belong together.
type SettingGroup struct {
	ID, Title string
	List      []Setting
}

// Setting is one key with its value.
type Setting struct {
	Key, Value, From string
	Held             bool
	Given            bool // somebody wrote it
}

var settingGroups = []struct {
	id, title string
	keys      string // the first words of its keys, the rest in the last group
}{
	{"runs", "What runs", " command dir env env_file user umask limits "},
	{"is", "What it is", " description group type port depends_on autostart schedule timezone overlap "},
	{"checked", "How it is checked", " ready live watchdog silence thresholds "},
	{"ends", "How it ends and comes back", " restart success backoff stop "},
	{"kept", "What is kept", ""},
}

// SettingsOf puts settings on the screen, drifts says that the run was started
// in another way.
func SettingsOf(s services.Settings, drifts bool) Settings {
	out := Settings{File: s.File, Lost: drifts && s.Lost}
	if drifts {
		out.Drift = s.Drift
	}
	groups := make([]SettingGroup, len(settingGroups))
	for _, one := range s.List {
		key, _, _ := strings.Cut(one.Key, ".")
		at := 0
		for at < len(settingGroups)-1 && !strings.Contains(settingGroups[at].keys, " "+key+" ") {
			at++
		}
		view := Setting{Key: one.Key, Value: one.Value, Held: one.Held, Given: one.From.Kind != services.FromNowhere}
		switch one.From.Kind {
		case services.FromServer:
			view.From = "line " + itoa(one.From.Line)
		case services.FromDefaults:
			view.From = "defaults, line " + itoa(one.From.Line)
		case services.FromBefore:
			view.From, out.Before = "the file before", true
		default:
			view.From = "default"
		}
		groups[at].List = append(groups[at].List, view)
	}
	for i, g := range groups {
		if len(g.List) > 0 {
			g.ID, g.Title = settingGroups[i].id, settingGroups[i].title
			out.Groups = append(out.Groups, g)
		}
	}
	return out
}
