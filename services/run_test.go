package services_test

import (
	"encoding/json"
	"reflect"
	"syscall"
	"testing"
	"time"

	"tend/services"
)

func TestAnExitSaysHowARunEndedAndKeepsItThroughJSON(t *testing.T) {
	at := time.Date(2026, 3, 4, 5, 6, 7, 8_000_000, time.UTC)
	const tail = `,"at":"2026-03-04T05:06:07.008Z",`
	for want, e := range map[string]services.Exit{
		`{"code":0,"signal":null,"core":false,"oom":false,"reason":"exited with code 0"` + tail + `"seen":true}`:                        services.ExitFromStatus(0, at),
		`{"code":7,"signal":null,"core":false,"oom":false,"reason":"exited with code 7"` + tail + `"seen":true}`:                        services.ExitFromStatus(0x700, at),
		`{"code":255,"signal":null,"core":false,"oom":false,"reason":"exited with code 255"` + tail + `"seen":true}`:                    services.ExitFromStatus(0xff00, at),
		`{"code":null,"signal":"SIGTERM","core":false,"oom":false,"reason":"killed by SIGTERM"` + tail + `"seen":true}`:                 services.ExitFromStatus(0xf, at),
		`{"code":null,"signal":"SIGSEGV","core":true,"oom":false,"reason":"killed by SIGSEGV (core dumped)"` + tail + `"seen":true}`:    services.ExitFromStatus(0x8b, at),
		`{"code":null,"signal":"signal 40","core":false,"oom":false,"reason":"killed by signal 40"` + tail + `"seen":true}`:             services.ExitFromStatus(40, at),
		`{"code":null,"signal":null,"core":false,"oom":false,"reason":"ended unseen, exit status unknown"` + tail + `"seen":false}`:     services.UnknownExit(at),
		`{"code":null,"signal":null,"core":false,"oom":false,"reason":"ended unseen, exit status unknown","at":null,` + `"seen":false}`: services.UnknownExit(time.Time{}),
		`{"code":null,"signal":"SIGKILL","core":false,"oom":true,"reason":"killed by SIGKILL: out of memory"` + tail + `"seen":true}`:   {Code: -1, Signal: 9, OOM: true, Seen: true, At: at},
	} {
		text, err := json.Marshal(e)
		if err != nil || string(text) != want {
			t.Errorf("%v\n got %s\nwant %s", err, text, want)
		}
		var got services.Exit
		if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, e) {
			t.Errorf("%v\n got %+v\nwant %+v", err, got, e)
		}
	}
}

func TestAnExitThatIsNoneIsRefused(t *testing.T) {
	for _, text := range []string{`17`, `[]`, `{"code":"seven"}`, `{"signal":"NONSENSE"}`, `{"signal":9}`, `{"at":"yesterday"}`} {
		var got services.Exit
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s is read as %+v", text, got)
		}
	}
	var err error
	if err = json.Unmarshal([]byte(`{"signal":"NONSENSE"}`), new(services.Exit)); services.KindOf(err) != services.Invalid {
		t.Errorf("error %v", err)
	}
}

func TestWhichExitsAreClean(t *testing.T) {
	listed := services.Success{Codes: []int{3, 143}, Signals: []syscall.Signal{syscall.SIGTERM}}
	for name, c := range map[string]struct {
		exit               services.Exit
		byDefault, whereIt bool // is listed
	}{
		"code 0":                 {services.Exit{Seen: true}, true, true},
		"a code that is listed":  {services.Exit{Code: 3, Seen: true}, false, true},
		"another code":           {services.Exit{Code: 4, Seen: true}, false, false},
		"the listed signal":      {services.Exit{Code: -1, Signal: syscall.SIGTERM, Seen: true}, false, true},
		"another signal":         {services.Exit{Code: -1, Signal: syscall.SIGKILL, Seen: true}, false, false},
		"the signal with a core": {services.Exit{Code: -1, Signal: syscall.SIGTERM, Core: true, Seen: true}, false, true},
		"nobody saw it":          {services.UnknownExit(time.Now()), false, false},
		"unseen, whatever it is": {services.Exit{Code: 0}, false, false},
		"a signal with code 0":   {services.Exit{Code: 0, Signal: syscall.SIGHUP, Seen: true}, false, false},
	} {
		if got := (services.Success{}).Clean(c.exit); got != c.byDefault {
			t.Errorf("%s: clean by default: %v", name, got)
		}
		if got := listed.Clean(c.exit); got != c.whereIt {
			t.Errorf("%s: clean where it is listed: %v", name, got)
		}
	}
	if (services.Success{Codes: []int{-1}}).Clean(services.UnknownExit(time.Now())) {
		t.Error("an unknown exit can never be listed")
	}
}

func TestARunKeepsEverythingThroughJSON(t *testing.T) {
	full := services.Run{
		ID: "00ff", Server: "api", Boot: "b", Leader: services.Identity{PID: 7, Start: 1 << 60},
		Members: []services.Identity{{PID: 8, Start: 9}}, Cgroup: "/sys/fs/cgroup/x",
		StartedAt: time.Date(2026, 3, 4, 5, 6, 7, 890_123_456, time.UTC), Digest: "d",
	}
	text, err := json.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	var got services.Run
	if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, full) {
		t.Errorf("%v\n got %+v\nwant %+v", err, got, full)
	}
}
