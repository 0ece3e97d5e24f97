package main

import (
	"net/http"
	"time"

	"github.com/a-h/templ"

	"tend/services"
	"tend/views/canned"
	"tend/views/model"
	"tend/views/pages"
)

// graph shows how canned servers depend on each other.
func graph(r *http.Request) templ.Component {
	name := r.PathValue("name")
	if name == "" {
		name = canned.Graphs[0]
	}
	list := canned.Graph(name, time.Now())
	refs := make([]*services.Status, len(list))
	for i := range list {
		refs[i] = &list[i]
	}
	f := frame("Dependencies")
	f.Here = "/graph"
	return pages.Graph(f, model.GraphOf(refs, 1))
}
