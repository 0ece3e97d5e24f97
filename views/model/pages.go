package model

import "tend/services"

// Page is an entry of the navigation.
type Page struct{ Path, Name string }

// PagesFor lists the pages that a role may look at.
func PagesFor(role string) []Page {
	list := []Page{{"/", "Servers"}, {"/graph", "Graph"}, {"/logs", "Logs"}, {"/timeline", "Timeline"}, {"/config", "Configuration"}}
	if services.Role(role).May(services.Admin) {
		list = append(list, Page{"/access", "Access"})
	}
	return list
}
