package orchestrator

import "time"

func (l *roster) add(u *unit) {
	l.units = append(l.units, u)
	l.byName[u.name] = u
}

// connect links the units along the dependencies and computes what depends on
// these links. The links are new ones: whoever still reads the old ones sees
// the neighbours of before.
func (l *roster) connect() {
	fresh := make(map[*unit]*links, len(l.units))
	for _, u := range l.units {
		fresh[u] = &links{}
	}
	for _, u := range l.units {
		for _, d := range u.server().DependsOn {
			if n := l.byName[d.Name]; n != nil {
				fresh[u].needs = append(fresh[u].needs, need{d, n})
				fresh[n].needed = append(fresh[n].needed, u)
			}
		}
	}
	chains := make(map[*unit]time.Duration, len(l.units))
	var chain func(u *unit) time.Duration // the longest that the dependents may take to stop, one after the other
	chain = func(u *unit) time.Duration {
		if d, known := chains[u]; known {
			return d
		}
		chains[u] = 0 // for the dependencies of orphans, which may form a circle
		longest := time.Duration(0)
		for _, n := range fresh[u].needed {
			longest = max(longest, chain(n)+n.ownStop())
		}
		chains[u] = longest
		return longest
	}
	l.budget = 0
	for _, u := range l.units {
		fresh[u].hold = chain(u)
		l.budget = max(l.budget, fresh[u].hold+u.ownStop())
	}
	for _, u := range l.units {
		u.links.Store(fresh[u])
	}
}

// ownStop is the time that the unit alone may take to stop.
func (u *unit) ownStop() time.Duration { return u.server().Stop.Timeout + killAgain }

// StopBudget returns the longest time that an orderly stop of everything can
// take.
func (o *Orchestrator) StopBudget() time.Duration { return o.roster.Load().budget }
