package services_test

import (
	"slices"
	"testing"

	"tend/services"
)

func TestDependentsThatRunAreFoundHoweverFarAway(t *testing.T) {
	up := func(name string, needs ...string) services.Status {
		return services.Status{Name: name, DependsOn: needs, Want: services.Up, PID: 1}
	}
	down := up("idle", "db")
	down.PID = 0
	list := []services.Status{up("page", "api"), up("api", "db", "cache"), up("cache"), up("db"), up("other"), down}
	if got := services.WithDependents(list, []string{"db"}); !slices.Equal(got, []string{"db", "api", "page"}) {
		t.Errorf("got %v", got)
	}
	if got := services.WithDependents(list, []string{"other"}); !slices.Equal(got, []string{"other"}) {
		t.Errorf("got %v", got)
	}
}
