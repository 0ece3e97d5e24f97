package partials

import (
	"html"
	"sync"

	"github.com/a-h/templ"
)

// icons are the components that were asked for so far, by name: a page of a
// thousand servers has two thousand of them.
var icons sync.Map

// Icon is one shape of the sprite. The word beside it says the same.
func Icon(name string) templ.Component {
	if known, ok := icons.Load(name); ok {
		return known.(templ.Component)
	}
	safe := html.EscapeString(name)
	icon := templ.Raw(`<svg class="icon icon-` + safe + `" aria-hidden="true"><use href="#i-` + safe + `"></use></svg>`)
	icons.Store(name, icon)
	return icon
}
