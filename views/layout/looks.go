package layout

import "github.com/a-h/templ"

// Looks are what somebody has chosen for the looks; empty where the system
// decides. They come with the page, so that it need not wait for a script.
type Looks struct {
	Theme    string // dark or light
	Density  string // dense or roomy
	Contrast string // more or usual
}

func (l Looks) attributes() templ.OrderedAttributes {
	var out templ.OrderedAttributes
	for _, a := range []templ.KeyValue[string, any]{
		{Key: "data-theme", Value: l.Theme}, {Key: "data-density", Value: l.Density}, {Key: "data-contrast", Value: l.Contrast},
	} {
		if a.Value != "" {
			out = append(out, a)
		}
	}
	return out
}
