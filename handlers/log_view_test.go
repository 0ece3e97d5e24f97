package handlers

import (
	"context"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"tend/services"
	"tend/services/logs"
)

// desk is the web application over real logs.
type desk struct {
	*app
	t     *testing.T
	store *logs.Store
	files map[string]*os.File
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	store, err := logs.Open(logs.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	d := &desk{t: t, store: store, files: map[string]*os.File{}}
	d.app = newApp(t, func(deps *Deps) { deps.Logs = store })
	return d
}

// write writes to a log, and looks at it, so that what was written has a time
// of its own.
func (d *desk) write(server, text string) {
	d.t.Helper()
	if d.files[server] == nil {
		file, err := d.store.Begin(server, services.LogPolicy{MaxSize: 1 << 30})
		if err != nil {
			d.t.Fatal(err)
		}
		d.t.Cleanup(func() { file.Close() })
		d.files[server] = file
	}
	if _, err := d.files[server].WriteString(text); err != nil {
		d.t.Fatal(err)
	}
	d.store.End(server)
}

func (d *desk) get(target string, status int) *httptest.ResponseRecorder {
	d.t.Helper()
	w := d.serve(request("GET", target, ""))
	if w.Code != status {
		d.t.Fatalf("%s: %d, not %d: %.300s", target, w.Code, status, w.Body)
	}
	return w
}

var (
	entryPattern = regexp.MustCompile(`<div class="l[^"]*" id="([^"]*)".*?<span class="l-x">(.*?)</span></div>`)
	tagPattern   = regexp.MustCompile(`<[^>]*>`)
)

// part is what a window tells.
type part struct {
	lines, places []string
	first, next   string
	begin, end    bool
	all           string
}

func (d *desk) window(target string) part {
	d.t.Helper()
	body := d.get(target, 200).Body.String()
	p := part{all: body}
	for _, m := range entryPattern.FindAllStringSubmatch(body, -1) {
		p.places = append(p.places, m[1])
		p.lines = append(p.lines, html.UnescapeString(tagPattern.ReplaceAllString(m[2], "")))
	}
	attribute := func(name string) string {
		_, rest, _ := strings.Cut(body, name+`="`)
		value, _, _ := strings.Cut(rest, `"`)
		return value
	}
	p.first, p.next = attribute("data-first"), attribute("data-next")
	head, _, _ := strings.Cut(body, ">")
	p.begin, p.end = strings.Contains(head, "data-begin"), strings.Contains(head, "data-end")
	return p
}

func numbered(from, to int) string {
	var b strings.Builder
	for i := from; i < to; i++ {
		fmt.Fprintf(&b, "line %d\n", i)
	}
	return b.String()
}

func TestWindowsLeadThroughAWholeLog(t *testing.T) {
	d := newDesk(t)
	d.write("web", numbered(0, 1000))
	p := d.window("/servers/web/logs/window")
	if !p.end || p.begin || len(p.lines) != pieceLines || p.lines[len(p.lines)-1] != "line 999" {
		t.Fatalf("the newest: %d lines, end %v, begin %v", len(p.lines), p.end, p.begin)
	}
	all := p.lines
	for !p.begin {
		p = d.window("/servers/web/logs/window?before=" + p.first)
		all = append(p.lines, all...)
		if len(all) > 1000 {
			t.Fatalf("%d lines", len(all))
		}
	}
	if strings.Join(all, "\n")+"\n" != numbered(0, 1000) {
		t.Errorf("backwards there are %d lines", len(all))
	}
	var again []string
	for p = d.window("/servers/web/logs/window?after=0.1"); ; p = d.window("/servers/web/logs/window?after=" + p.next) {
		again = append(again, p.lines...)
		if p.end || len(again) > 1000 {
			break
		}
	}
	if strings.Join(again, "\n") != strings.Join(all, "\n") {
		t.Errorf("forwards there are %d lines", len(again))
	}
	place := d.window("/servers/web/logs/window?before=" + p.next).places[100]
	p = d.window("/servers/web/logs/window?around=" + place)
	if p.places[pieceLines/2] != place {
		t.Errorf("around %s there are %v", place, p.places)
	}
	if !strings.Contains(p.all, `data-middle="`+place+`"`) || !strings.Contains(p.all, `href="?around=`+place+`#`+place+`"`) {
		t.Errorf("the line has no link, or is not the middle: %.300s", p.all)
	}
	if page := d.get("/servers/web/logs?around="+place, 200).Body.String(); !strings.Contains(page, `id="log-older"`) || !strings.Contains(page, `id="log-newer"`) {
		t.Error("the page does not lead to older and newer lines")
	}
}

func TestAFilterFindsWhatIsFarAway(t *testing.T) {
	d := newDesk(t)
	d.write("web", "ERROR first\n"+strings.Repeat("INFO nothing happens in this line of the log\n", 400<<10)+`{"level":"warn","msg":"slow","ms":7}`+"\n")
	var got []string
	p := d.window("/servers/web/logs/window?level=warn")
	pieces := 1
	for got = p.lines; !p.begin; pieces++ {
		p = d.window("/servers/web/logs/window?level=warn&before=" + p.first)
		got = append(p.lines, got...)
	}
	if strings.Join(got, "|") != "ERROR first|WARN slow ms=7" || pieces < 2 {
		t.Errorf("in %d pieces: %q", pieces, got)
	}
	if p := d.window("/servers/web/logs/window?q=SLOW&only=1"); len(p.lines) != 1 || !strings.Contains(p.all, `<span class="hit">slow</span>`) {
		t.Errorf("only what is found: %q", p.lines)
	}
}

func TestLogsAreMergedByTime(t *testing.T) {
	d := newDesk(t)
	d.write("web", "web 1\n")
	d.write("api", "api 2\n")
	d.write("web", "web 3\nweb 4\n")
	d.write("api", "api 5\n")
	const both = "/logs/window?server=web&server=api"
	p := d.window(both)
	if got := strings.Join(p.lines, "|"); got != "web 1|api 2|web 3|web 4|api 5" || !p.begin || !p.end {
		t.Errorf("%q, begin %v, end %v", got, p.begin, p.end)
	}
	if !strings.Contains(p.all, `<span class="l-s s0">web</span>`) || !strings.Contains(p.all, `<span class="l-s s1">api</span>`) {
		t.Error("the names are missing")
	}
	third := d.window(both + "&around=" + p.places[2])
	if strings.Join(third.places, " ") != strings.Join(p.places, " ") || !strings.Contains(third.all, `data-middle="`+p.places[2]+`"`) {
		t.Errorf("around the third: %v", third.places)
	}
	if later := d.window(both + "&after=" + p.next); len(later.lines) != 0 || !later.end {
		t.Errorf("after the end: %q", later.lines)
	}
	if page := d.get("/logs", 200).Body.String(); !strings.Contains(page, "api 5") || !strings.Contains(page, "Logs of") {
		t.Error("without a choice all logs are shown where they are few")
	}
}

func TestATimeLeadsToItsLines(t *testing.T) {
	d := newDesk(t)
	d.write("web", "before\n")
	moment := time.Now().Format(time.RFC3339Nano)
	d.write("web", "after\n")
	p := d.window("/servers/web/logs/window?at=" + strings.ReplaceAll(moment, "+", "%2B"))
	if len(p.places) != 2 || !strings.Contains(p.all, `data-middle="`+p.places[1]+`"`) {
		t.Errorf("%v in %.300s", p.places, p.all)
	}
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.Local)
	for text, want := range map[string]time.Time{
		"15:04":               time.Date(2026, 3, 4, 15, 4, 0, 0, time.Local),
		" 15:04:05 ":          time.Date(2026, 3, 4, 15, 4, 5, 0, time.Local),
		"2026-01-31 15:04:05": time.Date(2026, 1, 31, 15, 4, 5, 0, time.Local),
		"2026-01-31T15:04":    time.Date(2026, 1, 31, 15, 4, 0, 0, time.Local),
		"2026-01-31":          time.Date(2026, 1, 31, 0, 0, 0, 0, time.Local),
	} {
		if got, err := momentOf(text, now); err != nil || !got.Equal(want) {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
}

func TestAWrongRequestForLogsIsToldSo(t *testing.T) {
	d := newDesk(t)
	d.write("web", "x\n")
	for target, want := range map[string]int{
		"/servers/nobody/logs":                          404,
		"/servers/nobody/logs/window":                   404,
		"/servers/nobody/logs/download":                 404,
		"/logs?server=nobody":                           404,
		"/logs/window":                                  400,
		"/logs/search?q=x":                              400,
		"/logs/stream":                                  400,
		"/servers/web/logs/stream":                      400,
		"/servers/web/logs/search":                      400,
		"/servers/web/logs/search?q=%28&re=1":           400,
		"/servers/web/logs/window?around=x":             400,
		"/servers/web/logs/window?at=yesterday":         400,
		"/servers/web/logs/window?before=api:1.0":       400,
		"/logs/window?server=web&server=api&before=1.0": 400,
		"/logs/window?server=web&server=api&server=db&before=web:1.0,api:1.0": 400,
	} {
		d.get(target, want)
	}
	if page := html.UnescapeString(d.get("/servers/web/logs?q=%28&re=1", 200).Body.String()); !strings.Contains(page, "That is not a regular expression: missing closing )") {
		t.Error("the page does not say that the pattern is none")
	}
}

func TestASearchGoesOverTheWholeLog(t *testing.T) {
	d := newDesk(t)
	d.write("web", "needle 1\n"+strings.Repeat("hay that is as long as a line of a log often is\n", 120<<10)+"Needle 2\n")
	body := d.get("/servers/web/logs/search?q=needle", 200).Body.String()
	if n := strings.Count(body, "event: hits"); n != 2 {
		t.Errorf("%d pieces with hits: %.500s", n, body)
	}
	if !strings.Contains(body, "event: progress") || !strings.Contains(body, `"hits":2,"text":"Found 2 lines."`) {
		t.Errorf("it does not say how far it is: %.800s", body)
	}
	if body := d.get("/servers/web/logs/search?q=%5EN%5Ba-z%5D%2B+2%24&re=1", 200).Body.String(); !strings.Contains(body, "Found 1 line.") {
		t.Errorf("a regular expression: %.500s", body)
	}
	ctx, leave := context.WithCancel(t.Context())
	leave()
	if w := d.serve(request("GET", "/servers/web/logs/search?q=needle", "").WithContext(ctx)); strings.Contains(w.Body.String(), "event: done") {
		t.Error("it goes on when nobody waits for it")
	}
}

func TestAWholeLogIsAFile(t *testing.T) {
	d := newDesk(t)
	text := strings.Repeat("x", 200<<10) + "\nend \x1b[31mred\x00"
	d.write("web", text)
	w := d.get("/servers/web/logs/download", 200)
	if w.Body.String() != text || w.Header().Get("Content-Disposition") != `attachment; filename="web.log"` || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("%d bytes, %v", w.Body.Len(), w.Header())
	}
}

func TestLinesComeLive(t *testing.T) {
	s := newSite(t)
	web, api := s.output("web"), s.output("api")
	s.write(web, "before\n")
	s.logs.End("web")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/logs/stream?server=web&server=api&level=warn&after=web:0.1,api:0.1", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	s.write(api, "ERROR of api\nnothing\n")
	s.write(web, "WARN of web\n")
	var got strings.Builder
	for buf := make([]byte, 4096); !strings.Contains(got.String(), "of web") || !strings.Contains(got.String(), "of api"); {
		n, err := answer.Body.Read(buf)
		if err != nil {
			t.Fatalf("%v after %s", err, got.String())
		}
		got.Write(buf[:n])
	}
	if text := got.String(); strings.Contains(text, "nothing") || strings.Contains(text, "before") || !strings.Contains(text, "id: web:1.") {
		t.Errorf("the stream is %s", text)
	}
}
