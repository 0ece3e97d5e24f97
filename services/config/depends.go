package config

import "tend/services"

// dependency is what a server needs, with the place where the file says so.
type dependency struct {
	services.Dependency
	at        place
	inherited bool // from defaults
	until     bool // the file says until when
}

// dependsOn reads a list of names, or a map of names to conditions.
func (d *decoder) dependsOn(n *node, label string, s *draft) {
	s.depends = nil
	if !d.spend(n.at, len(n.items)+len(n.entries)) {
		return
	}
	switch n.kind {
	case list:
		for _, item := range n.items {
			if name, ok := d.word(item, label, "db"); ok {
				s.depends = append(s.depends, dependency{Dependency: services.DependOn(name)[0], at: item.at})
			}
		}
	case object:
		for _, e := range n.entries {
			dep := dependency{Dependency: services.DependOn(e.key)[0], at: e.at}
			if e.value.kind != null {
				key := label + "." + quoteCut(e.key, "")
				d.object(e.value, key, fields{
					"until": func(n *node) {
						dep.until = true
						choice(d, n, key+".until", &dep.Until, services.UntilStarted, services.UntilReady, services.UntilCompleted)
					},
					"when_lost": func(n *node) {
						choice(d, n, key+".when_lost", &dep.WhenLost, services.LostStop, services.LostRestart, services.LostNothing)
					},
				})
			}
			s.depends = append(s.depends, dep)
		}
	default:
		d.wants(n, label, "a list of servers such as [db]")
	}
}
