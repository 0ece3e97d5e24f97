package model

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestALineOfTextNamesItsLevel(t *testing.T) {
	for text, want := range map[string]Level{
		"2026-01-02 15:04:05 ERROR cannot connect": LevelError,
		"WARN: slow":       LevelWarn,
		"warn: slow":       LevelWarn,
		"[info] listening": LevelInfo,
		"2026/01/02 15:04:05 [error] 31#31: *1 open() failed":         LevelError,
		"time=2026-01-02T15:04:05Z level=debug msg=x":                 LevelDebug,
		`ts=1 lvl="warning" msg=x`:                                    LevelWarn,
		"level=WARN+2 msg=x":                                          LevelWarn,
		"\x1b[2m14:20:09\x1b[0m \x1b[31mERROR\x1b[0m cannot reach":    LevelError,
		"E0102 15:04:05.000000   1 x.go:1] broken":                    LevelError,
		"I0102 15:04:05.000000   1 x.go:1] fine":                      LevelInfo,
		"panic: runtime error: index out of range":                    LevelFatal,
		"2026-01-02 15:04:05.123 UTC [77] LOG:  database is ready":    LevelNone,
		"2026-01-02 15:04:05.123 UTC [77] FATAL:  role is missing":    LevelFatal,
		"15:04:05 | DEBUG    | app:main:1 - x":                        LevelDebug,
		"an error is not always an error":                             LevelNone,
		"GET /error/ERROR-7 200":                                      LevelNone,
		"there were INFORMATIONAL things":                             LevelNone,
		"":                                                            LevelNone,
		"error":                                                       LevelNone,
		"Error: listen EADDRINUSE":                                    LevelError,
		"NOTICE: read this":                                           LevelInfo,
		"mylevel=error is another key":                                LevelNone,
		strings.Repeat("x", 200) + " ERROR too far to be its level":   LevelNone,
		`{"level":"warn","msg":"x"}`:                                  LevelWarn,
		`{"level":50,"time":1,"msg":"x"}`:                             LevelError,
		`{"level":10,"msg":"x"}`:                                      LevelTrace,
		`{"severity":"CRITICAL","message":"x"}`:                       LevelFatal,
		`{"time":"2026-01-02T15:04:05Z","level":"ERROR+4","msg":"x"}`: LevelError,
		`{"a":1}`: LevelNone,
		`{"a":{"level":"error"},"level": "info","msg":"x"}`: LevelInfo,
		`{"a":"\"level\":\"error\"","level":"info"}`:        LevelInfo,
		`{"msg":"x","level" : 60}`:                          LevelFatal,
		`{"time":1,"level": 40}`:                            LevelWarn,
		`{"level":"strange","severity":"error"}`:            LevelError,
	} {
		var v Leveler
		if got := v.Of([]byte(text)); got != want {
			t.Errorf("%.80q: %q, not %q", text, got.Word(), want.Word())
		}
	}
	for _, l := range []Level{LevelNone, LevelTrace, LevelDebug, LevelInfo, LevelWarn, LevelError, LevelFatal} {
		if LevelOf(l.Key()) != l {
			t.Errorf("%q is not read back", l.Key())
		}
	}
}

func TestAnIndentedLineHasTheLevelOfTheOneBefore(t *testing.T) {
	var v Leveler
	for _, c := range []struct {
		text string
		want Level
	}{{"  first", LevelNone}, {"ERROR broken", LevelError}, {"\tat x.go:1", LevelError}, {"  at y.go:2", LevelError}, {"next", LevelNone}, {" x", LevelNone}} {
		if got := v.Of([]byte(c.text)); got != c.want {
			t.Errorf("%q: %q, not %q", c.text, got.Word(), c.want.Word())
		}
	}
}

// shown writes an entry as text: [what is marked], {name=value}.
func shown(e Entry) string {
	var b strings.Builder
	runs := func(list []Run) {
		for _, r := range list {
			if strings.Contains(r.Class, "hit") {
				fmt.Fprintf(&b, "[%s]", r.Text)
			} else {
				b.WriteString(r.Text)
			}
		}
	}
	if e.Parsed {
		b.WriteString(e.Level.Word() + ": ")
	}
	runs(e.Runs)
	for _, f := range e.Fields {
		b.WriteString(" {" + f.Name + "=")
		runs(f.Runs)
		b.WriteString("}")
	}
	return b.String()
}

func TestAnObjectIsShownAsMessageAndFields(t *testing.T) {
	for text, want := range map[string]string{
		`{"level":"info","ts":1.5,"caller":"a.go:1","msg":"ready","port":80}`:            "INFO: ready {caller=a.go:1} {port=80} {ts=1.5}",
		`{"time":"T","level":"WARN","msg":"slow","q":{"a":[1,2]},"ok":true,"none":null}`: `WARN: slow {q={"a":[1,2]}} {ok=true} {none=null} {time=T}`,
		`{"level":30,"time":1,"pid":7,"hostname":"box","msg":"hello"}`:                   "INFO: hello {pid=7} {hostname=box} {time=1}",
		`{"name":"app","level":50,"msg":"two\nlines","v":0}`:                             "ERROR: two\nlines {name=app} {v=0}",
		`{"msg":"\u001b[31mred\u001b[0m \u0000"}`:                                        ": red \u2400",
		` {"message":"with spaces round it"} `:                                           ": with spaces round it",
		`{"level":"info","msg":"broken"`:                                                 `{"level":"info","msg":"broken"`,
		`{"level":"info","msg":"x"} trailing`:                                            `{"level":"info","msg":"x"} trailing`,
		`{"level":"info"}{"msg":"x"}`:                                                    `{"level":"info"}{"msg":"x"}`,
		`{"x":1}`:                                                                        `{"x":1}`,
		`[1]`:                                                                            `[1]`,
		`{}`:                                                                             `{}`,
	} {
		var w Writer
		if got := shown(w.Entry([]byte(text), false, time.Time{})); got != want {
			t.Errorf("%s\n got %q\nwant %q", text, got, want)
		}
	}
}

func TestALineIsShownWithinBounds(t *testing.T) {
	long := strings.Repeat("x", 60<<10)
	many := `{"msg":"m"`
	for i := range 1000 {
		many += fmt.Sprintf(`,"f%d":"%s"`, i, strings.Repeat("é", 20))
	}
	for name, text := range map[string]string{
		"text": long, "message": `{"level":"info","msg":"` + long + `"}`, "field": `{"msg":"m","f":"` + long + `"}`,
		"fields": many + "}", "name": `{"msg":"m","` + long + `":1}`, "deep": strings.Repeat(`{"msg":`, 9000) + "1" + strings.Repeat("}", 9000),
	} {
		var w Writer
		e := w.Entry([]byte(text), false, time.Now())
		if n := len(shown(e)); n > MaxShown+maxFields*100 {
			t.Errorf("%s: %d bytes are shown", name, n)
		}
		if (name == "text" || name == "message") && e.Hidden == "" {
			t.Errorf("%s: it does not say that it was cut", name)
		}
		if e.Clock == "" || e.Full == "" {
			t.Errorf("%s: it has no time", name)
		}
	}
	var w Writer
	if e := w.Entry([]byte(`{"msg":"x"}`), true, time.Time{}); e.Parsed || e.Hidden == "" {
		t.Error("a line that was cut is read as if it were whole")
	}
}

func TestASearchSetsOffWhatItFinds(t *testing.T) {
	for _, c := range []struct{ pattern, text, want string }{
		{"b+", "abbc b", "a[bb]c [b]"},
		{"red", "a \x1b[31mre\x1b[0md", "a [re][d]"},
		{"x*", "aaa", "aaa"},
		{"^a|c$", "abc", "[a]b[c]"},
		{"é", "aéa", "a[é]a"},
		{"slow|q1", `{"level":"warn","msg":"slow","id":"q1"}`, "WARN: [slow] {id=[q1]}"},
	} {
		w := Writer{Mark: regexp.MustCompile(c.pattern)}
		e := w.Entry([]byte(c.text), false, time.Time{})
		if got := shown(e); got != c.want {
			t.Errorf("%s in %q: %q, not %q", c.pattern, c.text, got, c.want)
		}
	}
}
