package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"tend/services"
)

// version is that of the files we write. Raise it with every change that an
// older manager would misread, and add a reader for the version before.
const version = 1

// document is the content of state.json.
type document struct {
	Version  int               `json:"version"`
	Instance string            `json:"instance"` // in case its own file is lost
	Clean    bool              `json:"clean"`
	Servers  []services.Record `json:"servers"`
}

// decode reads a file of any version up to ours. It refuses a file of which
// any part cannot be right: a wrong guess about a server is worse than none.
func decode(data []byte) (document, error) {
	var head struct{ Version int }
	if err := json.Unmarshal(data, &head); err != nil {
		return document{}, err
	}
	var doc document
	var err error
	switch {
	case head.Version == 0:
		doc, err = decode0(data)
	case head.Version == version:
		err = json.Unmarshal(data, &doc)
	case head.Version > version:
		err = fmt.Errorf("it is of version %d, from a newer tend, and this one reads up to %d", head.Version, version)
	default:
		err = fmt.Errorf("version %d never existed", head.Version)
	}
	if err != nil {
		return document{}, err
	}
	if doc.Servers == nil {
		return document{}, errors.New("it has no list of servers")
	}
	seen := make(map[string]bool, len(doc.Servers))
	for _, rec := range doc.Servers {
		if err := check(rec); err != nil {
			return document{}, fmt.Errorf("server %q: %w", rec.Name, err)
		}
		if seen[rec.Name] {
			return document{}, fmt.Errorf("server %q is in it twice", rec.Name)
		}
		seen[rec.Name] = true
	}
	return doc, nil
}

// decode0 reads the form from before files had a version: servers by name,
// without mark of a clean end.
func decode0(data []byte) (document, error) {
	var old struct {
		Servers map[string]services.Record `json:"servers"`
	}
	if err := json.Unmarshal(data, &old); err != nil || old.Servers == nil {
		return document{}, err
	}
	doc := document{Servers: make([]services.Record, 0, len(old.Servers))}
	for name, rec := range old.Servers {
		rec.Name = name
		doc.Servers = append(doc.Servers, rec)
	}
	return doc, nil
}

// check refuses a record that no manager can have meant. It is applied to
// what is written as well: what was written can be read.
func check(rec services.Record) error {
	switch {
	case rec.Name == "":
		return errors.New("it has no name")
	case rec.Want != services.Up && rec.Want != services.Down:
		return fmt.Errorf("want cannot be %q", rec.Want)
	case !slices.Contains(services.Phases, rec.Phase):
		return fmt.Errorf("phase cannot be %q", rec.Phase)
	case rec.Run == nil:
		return nil
	}
	for _, id := range append([]services.Identity{rec.Run.Leader}, rec.Run.Members...) {
		if id.PID < 0 || id.PID == 1 { // nobody's server; and signals to them mean something else
			return fmt.Errorf("pid cannot be %d", id.PID)
		}
	}
	return nil
}

// entry is one record as it stands in the file.
type entry struct {
	name string
	json []byte
}

func encode(rec services.Record) (entry, error) {
	if err := check(rec); err != nil {
		return entry{}, err
	}
	text, err := json.Marshal(rec)
	return entry{name: rec.Name, json: text}, err
}

// page is the whole file, one record on each line.
func page(instance string, clean bool, entries []entry) []byte {
	size := 128
	for _, e := range entries {
		size += len(e.json) + 2
	}
	b := fmt.Appendf(make([]byte, 0, size), `{"version":%d,"instance":%q,"clean":%t,"servers":[`, version, instance, clean)
	for i, e := range entries {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '\n')
		b = append(b, e.json...)
	}
	return append(b, "\n]}\n"...)
}
