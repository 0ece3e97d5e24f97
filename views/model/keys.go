package model

import "encoding/json"

// Binding is one thing that a key does. Keys.js knows how each deed is done;
// the help, the README and the script are made from the one table.
type Binding struct {
	Keys []string // as the browser calls them
	Show string   // the keys, as people read them
	Deed string
	What string
}

// Bindings is a part of the table of keys.
type Bindings struct {
	Title string
	Keys  []Binding
}

// Keyboard is everything that keys do.
var Keyboard = []Bindings{
	{"Everywhere", []Binding{
		{[]string{"?"}, "?", "help", "Show the keys"},
		{[]string{"Ctrl+k"}, "Ctrl-K", "palette", "Find a server, an action or a page"},
		{[]string{"/"}, "/", "search", "Filter or search this page"},
		{[]string{"Escape"}, "Esc", "back", "Close what is open; go back to the list"},
	}},
	{"Lists", []Binding{
		{[]string{"j", "ArrowDown"}, "j ↓", "down", "Next row"},
		{[]string{"k", "ArrowUp"}, "k ↑", "up", "Previous row"},
		{[]string{"g"}, "g", "first", "First row"},
		{[]string{"G"}, "G", "last", "Last row"},
		{[]string{"Enter"}, "Enter", "", "Open the row"}, // a row's focus is on its link
		{[]string{"x"}, "x", "select", "Select the row, or not any more"},
	}},
	{"Servers: the selected ones, else the row, else the one of the page", []Binding{
		{[]string{"s"}, "s", "start", "Start"},
		{[]string{"t"}, "t", "stop", "Stop, after asking"},
		{[]string{"r"}, "r", "restart", "Restart, after asking"},
		{[]string{"l"}, "l", "log", "Show the log"},
		{[]string{"e"}, "e", "events", "Show what happened"},
	}},
	{"One server, its log, the timeline", []Binding{
		{[]string{"1", "2", "3", "4", "5"}, "1 to 5", "tab", "Go to a tab"},
		{[]string{"["}, "[", "previous", "Previous server"},
		{[]string{"]"}, "]", "following", "Next server"},
		{[]string{"n"}, "n", "next", "Next hit of a search; older events"},
		{[]string{"N"}, "N", "before", "Previous hit of a search; newest events"},
	}},
}

// KeyMap is the table as the script reads it: what each key does.
var KeyMap = func() string {
	deeds := make(map[string]string)
	for _, part := range Keyboard {
		for _, b := range part.Keys {
			for _, key := range b.Keys {
				if b.Deed != "" {
					deeds[key] = b.Deed
				}
			}
		}
	}
	text, err := json.Marshal(deeds)
	if err != nil {
		panic(err) // strings only
	}
	return string(text)
}()
