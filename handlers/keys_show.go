package handlers

import (
	"net/http"
	"time"

	"tend/services"
	"tend/services/access"
	"tend/views/model"
	"tend/views/pages"
	"tend/views/partials"
)

// showKeys shows what every key does.
func (h *handler) showKeys(w http.ResponseWriter, r *http.Request) error {
	if byHTMX(r) {
		return h.render(w, r, http.StatusOK, partials.Keys())
	}
	return h.render(w, r, http.StatusOK, pages.Keys(h.frame(r, "Keys · tend", time.Now())))
}

// longestFind bounds what the palette looks for, in bytes.
const longestFind = 100

// showPalette shows what matches what was typed: the whole palette when it
// opens, and the list alone for what is typed after that.
func (h *handler) showPalette(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query().Get("q")
	if len(query) > longestFind {
		return services.Errorf(services.Invalid, "q is longer than %d letters", longestFind)
	}
	list, err := h.Control.List(r.Context())
	if err != nil {
		return err
	}
	who, _ := access.Of(r.Context())
	palette := model.PaletteOf(query, list, who.Role)
	switch {
	case !byHTMX(r):
		return h.render(w, r, http.StatusOK, pages.Palette(h.frame(r, "Find · tend", time.Now()), palette))
	case r.URL.Query().Has("q"):
		return h.render(w, r, http.StatusOK, partials.PaletteList(palette))
	}
	return h.render(w, r, http.StatusOK, partials.PaletteForm(palette))
}
