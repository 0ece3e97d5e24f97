package config

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"tend/services"
)

// Recipe is what of a server decides how it runs, to be kept and compared with
// later: servers have the same recipe where they have the same Digest. The
// values of the environment are not in it, only what tells one from another.
func Recipe(s services.Server) json.RawMessage {
	h := howOf(s)
	h.Env = make(map[string]string, len(s.Env))
	for name, value := range s.Env {
		sum := sha256.Sum256([]byte(s.Name + "\x00" + name + "\x00" + value))
		h.Env[name] = hex.EncodeToString(sum[:4])
	}
	text, err := json.Marshal(h)
	if err != nil {
		panic("encode a server: " + err.Error()) // strings and numbers always encode
	}
	return text
}

// Drift lists how a recipe differs from the one of a server as it is configured
// now.
func Drift(recipe json.RawMessage, s services.Server) (out []services.Difference, err error) {
	var then, now how
	if err := json.Unmarshal(recipe, &then); err != nil {
		return nil, fmt.Errorf("read how %s was started: %w", s.Name, err)
	}
	if err := json.Unmarshal(Recipe(s), &now); err != nil {
		return nil, err
	}
	before, after := then.server(), now.server()
	for _, key := range explained {
		if key.name == "env" {
			out = append(out, variableDrift(variables(before), variables(after))...)
		} else if was, is := key.show(&before), key.show(&after); was != is {
			out = append(out, services.Difference{Key: key.name, Was: was, Is: is})
		}
	}
	return out, nil
}

// variableDrift lists the variables that differ, without what they hold.
func variableDrift(then, now map[string]string) (out []services.Difference) {
	all := maps.Clone(then)
	if all == nil {
		all = make(map[string]string)
	}
	maps.Copy(all, now)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		was, before := then[name]
		is, after := now[name]
		d := services.Difference{Key: "env." + name}
		switch {
		case !before:
			d.Is = "set"
		case !after:
			d.Was = "set"
		case was != is:
			d.Was, d.Is = "one value", "another"
		default:
			continue
		}
		out = append(out, d)
	}
	return out
}
