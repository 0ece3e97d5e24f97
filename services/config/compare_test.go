package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"tend/services"
)

func TestAPlanNoticesEveryFieldAndSaysWhatItTakes(t *testing.T) {
	plain := base("/srv")
	plain.Name = "a"
	plain.Command.Argv = []string{"./a"}
	check := func(path string, s services.Server) {
		plan := Compare([]services.Server{plain}, []services.Server{s}, nil)
		if path == "Name" {
			if len(plan.Add) != 1 || len(plan.Remove) != 1 {
				t.Errorf("another name gives %+v", plan)
			}
			return
		}
		list := plan.Update
		if decides[path] {
			list = plan.Restart
		}
		if len(list) != 1 || list[0].Server != "a" || len(list[0].Reasons) != 1 && path != "Watchdog" {
			t.Errorf("changing %s (restart %v) gives %+v", path, decides[path], plan)
			return
		}
		if reason := list[0].Reasons[0]; path != "Env" && (!strings.Contains(reason, " → ") || strings.Contains(reason, "map[")) {
			t.Errorf("changing %s gives the reason %q", path, reason)
		}
	}
	var walk func(path string, v reflect.Value, s *services.Server)
	walk = func(path string, v reflect.Value, s *services.Server) {
		for i := range v.NumField() {
			name, field := path+v.Type().Field(i).Name, v.Field(i)
			if field.Kind() == reflect.Struct {
				walk(name+".", field, s)
				continue
			}
			old := reflect.ValueOf(field.Interface())
			field.Set(different(t, name, field))
			check(name, *s)
			field.Set(old)
		}
	}
	s := plain
	walk("", reflect.ValueOf(&s).Elem(), &s)
}

func TestAPlanOfNothingIsEmpty(t *testing.T) {
	list := []services.Server{base("/srv"), base("/srv")}
	list[0].Name, list[1].Name = "a", "b"
	plan := Compare(list, list, nil)
	if !plan.Empty() || !slices.Equal(plan.Unchanged, []string{"a", "b"}) {
		t.Errorf("%+v", plan)
	}
	plan = Compare(list, list, map[string]bool{"b": true})
	if len(plan.Restart) != 1 || plan.Restart[0].Server != "b" || plan.Restart[0].Reasons[0] != "it runs with an earlier command" {
		t.Errorf("%+v", plan)
	}
}

func TestAPlanTellsOfTheEnvironmentWithoutItsValues(t *testing.T) {
	was, is := base("/srv"), base("/srv")
	was.Env = map[string]string{"KEPT": "1", "OLD": "canary", "KEY": "canary1"}
	is.Env = map[string]string{"KEPT": "1", "NEW": "canary", "KEY": "canary2"}
	plan := Compare([]services.Server{was}, []services.Server{is}, nil)
	if want := []string{"env: KEY changed, NEW added, OLD removed"}; len(plan.Restart) != 1 || !slices.Equal(plan.Restart[0].Reasons, want) {
		t.Errorf("%+v", plan)
	}
}
