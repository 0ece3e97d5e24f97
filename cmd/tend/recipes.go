package main

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"tend/services"
	"tend/services/config"
)

// recipes is a file that remembers how servers were configured when they were
// started: the page of a server compares that with what is configured now. It
// is for people alone: nothing depends on it, and it may be deleted.
type recipes struct {
	path  string
	now   func() []services.Server
	again chan struct{} // cap 1: what is configured has changed
	log   *slog.Logger
}

// recipe is one way in which a server was started.
type recipe struct {
	Digest string          `json:"digest"`
	How    json.RawMessage `json:"how"`
}

// mostRecipes is how many ways are kept of each server, the newest.
const mostRecipes = 5

func newRecipes(data string, now func() []services.Server, log *slog.Logger) *recipes {
	r := &recipes{path: filepath.Join(data, "recipes.json"), now: now, again: make(chan struct{}, 1), log: log}
	r.changed()
	return r
}

// changed asks for the file to be written soon.
func (r *recipes) changed() {
	select {
	case r.again <- struct{}{}:
	default:
	}
}

// Run writes the file whenever it has to be, until ctx ends. It is the only
// one who does.
func (r *recipes) Run(ctx context.Context) error {
	for {
		select {
		case <-r.again:
		case <-ctx.Done():
			return nil
		}
		if err := r.write(); err != nil {
			r.log.Warn("how servers are started is not remembered", "err", err)
		}
	}
}

// write adds what is configured now to what is known. Who is not configured
// any more is forgotten.
func (r *recipes) write() error {
	known, err := r.read()
	if err != nil {
		r.log.Warn("how servers were started is forgotten", "err", err) // and written anew
	}
	out := make(map[string][]recipe)
	fresh := false
	for _, s := range r.now() {
		digest, list := config.Digest(s), known[s.Name]
		if n := len(list); n == 0 || list[n-1].Digest != digest {
			list, fresh = append(list, recipe{digest, config.Recipe(s)}), true
		}
		out[s.Name] = list[max(0, len(list)-mostRecipes):]
	}
	if !fresh && len(out) == len(known) {
		return nil
	}
	text, err := json.Marshal(out)
	if err != nil {
		return err
	}
	if err := os.WriteFile(r.path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(r.path+".new", r.path)
}

func (r *recipes) read() (known map[string][]recipe, err error) {
	text, err := os.ReadFile(r.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &known)
	}
	return known, err
}

// of returns the recipe of a server with a digest, nil for none.
func (r *recipes) of(server, digest string) json.RawMessage {
	known, err := r.read()
	if err != nil {
		r.log.Warn("how servers were started cannot be read", "err", err)
	}
	for _, one := range known[server] {
		if one.Digest == digest {
			return one.How
		}
	}
	return nil
}

// settings lists what a server is configured to do, and how that differs from
// how its run was started. Not found for one that is not configured.
func (m *manager) settings(_ context.Context, s *services.Status) (out services.Settings, err error) {
	out.File = m.cfg.Path
	defer func() { m.conceal(&out) }()
	servers, _ := m.orch.Configured()
	for _, one := range servers {
		if one.Name != s.Name {
			continue
		}
		file, err := config.LoadToExplain(m.cfg.Path, os.LookupEnv)
		if err != nil {
			file = nil // the page of the configuration tells why
		}
		out.List = config.Explain(one, file)
		if !s.Drift {
			return out, nil
		}
		how := m.recipes.of(s.Name, s.Recipe)
		if how == nil {
			out.Lost = true
			return out, nil
		}
		out.Drift, err = config.Drift(how, one)
		return out, err
	}
	return out, services.Errorf(services.NotFound, "%s is not in the configuration any more", s.Name)
}
