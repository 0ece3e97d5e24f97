package config

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"tend/services"
)

// unhidden hides nothing.
func unhidden(text string) string { return text }

func TestAPlanNoticesEveryFieldAndSaysWhatItTakes(t *testing.T) {
	plain := base("/srv")
	plain.Name = "a"
	plain.Command.Argv = []string{"./a"}
	check := func(path string, s services.Server) {
		plan := Compare([]services.Server{plain}, []services.Server{s}, nil, unhidden)
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
		if len(list) != 1 || list[0].Server != "a" || len(list[0].Reasons) != 1 && path != "Watchdog.Every" {
			t.Errorf("changing %s (restart %v) gives %+v", path, decides[path], plan)
			return
		}
		if reason := list[0].Reasons[0]; path != "Env" && path != "Secrets" && (!strings.Contains(reason, " → ") || strings.Contains(reason, "map[")) {
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

// deep is a server in which whatever holds something else holds it.
func deep() services.Server {
	s := base("/srv")
	s.Name, s.Command.Argv = "a", []string{"./a"}
	s.DependsOn = services.DependOn("db")
	s.Ready = &services.Probe{TCP: "127.0.0.1:80"}
	s.Live = &services.Probe{HTTP: &services.HTTPProbe{URL: "http://127.0.0.1/", Status: []services.StatusRange{{From: 200, To: 204}}}}
	s.Thresholds = []services.Threshold{{Memory: 400e6, For: time.Second, Action: services.ThresholdAlert}}
	s.Silence = services.Pulse{Every: time.Minute, Action: services.ProbeAlert}
	return s
}

func TestAPlanNoticesWhatChangesInsideOfAField(t *testing.T) {
	seen := 0
	var walk func(path string, v reflect.Value, s *services.Server)
	walk = func(path string, v reflect.Value, s *services.Server) {
		switch {
		case v.Kind() == reflect.Struct:
			for i := range v.NumField() {
				name := v.Type().Field(i).Name
				if path == ".Thresholds[0]" && name == "CPU" {
					continue // it is about memory, and about one thing only
				}
				if kind := name == "TCP" || name == "Exec" || name == "Log" || name == "Notify"; kind && path == ".Live" {
					continue // it asks by HTTP, and by one thing only
				}
				walk(path+"."+name, v.Field(i), s)
			}
		case v.Kind() == reflect.Pointer && !v.IsNil():
			walk(path, v.Elem(), s)
		case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Struct && v.Len() > 0:
			walk(path+"[0]", v.Index(0), s)
		default:
			old := reflect.ValueOf(v.Interface())
			v.Set(different(t, path, v))
			if plan := Compare([]services.Server{deep()}, []services.Server{*s}, nil, unhidden); plan.Empty() {
				t.Errorf("changing %s goes unnoticed", path)
			}
			v.Set(old)
			seen++
		}
	}
	s := deep()
	walk("", reflect.ValueOf(&s).Elem(), &s)
	if seen < 60 {
		t.Errorf("only %d fields were changed", seen)
	}
}

func TestAPlanOfNothingIsEmpty(t *testing.T) {
	list := []services.Server{base("/srv"), base("/srv")}
	list[0].Name, list[1].Name = "a", "b"
	plan := Compare(list, list, nil, unhidden)
	if !plan.Empty() || !slices.Equal(plan.Unchanged, []string{"a", "b"}) {
		t.Errorf("%+v", plan)
	}
	plan = Compare(list, list, map[string]bool{"b": true}, unhidden)
	if len(plan.Restart) != 1 || plan.Restart[0].Server != "b" || plan.Restart[0].Reasons[0] != "it runs with an earlier command" {
		t.Errorf("%+v", plan)
	}
}

func TestAPlanTellsOfTheEnvironmentWithoutItsValues(t *testing.T) {
	was, is := base("/srv"), base("/srv")
	was.Env = map[string]string{"KEPT": "1", "OLD": "canary", "KEY": "canary1"}
	is.Env = map[string]string{"KEPT": "1", "NEW": "canary", "KEY": "canary2"}
	plan := Compare([]services.Server{was}, []services.Server{is}, nil, unhidden)
	if want := []string{"env: KEY changed, NEW added, OLD removed"}; len(plan.Restart) != 1 || !slices.Equal(plan.Restart[0].Reasons, want) {
		t.Errorf("%+v", plan)
	}
}
