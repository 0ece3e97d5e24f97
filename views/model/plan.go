package model

import (
	"fmt"
	"strings"

	"tend/services"
)

// Plan is what the page of the configuration shows of a reload.
type Plan struct {
	ID       string // "" where there is nothing to carry out
	Summary  string
	Groups   []PlanGroup
	Also     []string
	Later    []string
	Problems []string // of a file that is wrong: then there is no plan
	Stops    bool     // something that runs is stopped or restarted
}

// PlanGroup is what one thing is done to.
type PlanGroup struct {
	Title   string
	Kind    string // add, remove, restart, update
	Changes []services.Change
}

// PlanOf makes the view of a plan.
func PlanOf(p services.Plan) Plan {
	out := Plan{Also: p.Also, Later: p.Later, Stops: len(p.Remove)+len(p.Restart) > 0}
	for _, g := range []PlanGroup{
		{"Added", "add", p.Add}, {"Removed", "remove", p.Remove}, {"Restarted, if it runs", "restart", p.Restart}, {"Changed without a restart", "update", p.Update},
	} {
		if len(g.Changes) > 0 {
			out.Groups = append(out.Groups, g)
		}
	}
	unchanged := plural(len(p.Unchanged), "server")
	if p.Empty() {
		out.Summary = "The file says what the manager uses already: " + unchanged + "."
		return out
	}
	out.ID = p.ID()
	out.Summary = unchanged + " would stay as they are."
	if len(p.Unchanged) == 1 {
		out.Summary = "1 server would stay as it is."
	}
	return out
}

// PlanProblems makes the view of a file that is wrong.
func PlanProblems(err error) Plan {
	return Plan{Summary: "The file has problems, so nothing can be changed:", Problems: strings.Split(err.Error(), "\n")}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
