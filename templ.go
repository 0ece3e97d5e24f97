package tend

//go:generate go tool templ generate
