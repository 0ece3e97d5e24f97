package partials_test

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"tend/views/canned"
	"tend/views/model"
	"tend/views/partials"
)

var now = time.Date(2024, 5, 14, 12, 34, 56, 0, time.UTC)

func drawn(t testing.TB, shape string, r model.Range) string {
	t.Helper()
	var b bytes.Buffer
	samples := canned.Samples(shape, now, r.Span(), 300)
	c := model.NewCharts(shape, r, samples, model.MarksOf(canned.Turns(shape, now, r.Span())), now)
	if err := partials.Charts(c).Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func small(t testing.TB, shape string) string {
	t.Helper()
	var b bytes.Buffer
	from := now.Add(-time.Hour)
	samples := canned.Samples(shape, now, time.Hour, 240)
	for _, m := range []model.Measure{model.MeasureCPU, model.MeasureMemory} {
		if err := partials.Spark(model.NewSpark(samples, m, from, now)).Render(context.Background(), &b); err != nil {
			t.Fatal(err)
		}
	}
	strip := model.NewStrip(samples, model.MarksOf(canned.Turns(shape, now, time.Hour)), from, now, 60)
	if err := partials.Strip(strip).Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPicturesObeyTheSecurityPolicyAndHaveNoIdTwice(t *testing.T) {
	for _, shape := range canned.Shapes {
		pages := []string{small(t, shape)}
		for _, r := range model.Ranges {
			pages = append(pages, drawn(t, shape, r))
		}
		for _, page := range pages {
			ids := make(map[string]bool)
			doc, err := html.Parse(strings.NewReader(page))
			if err != nil {
				t.Fatal(err)
			}
			for node := range doc.Descendants() {
				if node.Data == "style" || node.Data == "script" {
					t.Errorf("%s has an element %s", shape, node.Data)
				}
				for _, a := range node.Attr {
					switch {
					case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
						t.Errorf("%s has an attribute %s", shape, a.Key)
					case a.Key == "id" && ids[a.Val]:
						t.Errorf("%s has the id %s twice", shape, a.Val)
					case a.Key == "id":
						ids[a.Val] = true
					}
				}
			}
		}
	}
}

var (
	number = regexp.MustCompile(`-?\d+(\.\d+)?`)
	path   = regexp.MustCompile(` d="([^"]*)"`)
	plot   = regexp.MustCompile(`(?s)<svg class="chart-plot".*?<svg class="chart-times"`)
	legal  = regexp.MustCompile(`^[MLHVhvz0-9. -]*$`)
)

func TestNumbersInPicturesAreFiniteAndShort(t *testing.T) {
	for _, shape := range canned.Shapes {
		for _, r := range model.Ranges {
			page := drawn(t, shape, r)
			for _, d := range path.FindAllStringSubmatch(page+small(t, shape), -1) {
				if !legal.MatchString(d[1]) {
					t.Fatalf("%s over %s has the path %.80q", shape, r, d[1])
				}
				for _, n := range number.FindAllString(d[1], -1) {
					if _, decimals, _ := strings.Cut(n, "."); len(decimals) > 1 {
						t.Fatalf("%s over %s has the number %s", shape, r, n)
					}
				}
			}
		}
	}
}

func TestAPictureIsSmall(t *testing.T) {
	for _, shape := range canned.Shapes {
		for _, r := range model.Ranges {
			page := drawn(t, shape, r)
			for _, one := range plot.FindAllString(page, -1) {
				if len(one) > 25_000 {
					t.Errorf("a chart of %s over %s has %d bytes", shape, r, len(one))
				}
				if n := strings.Count(one, "<rect"); n > 120 {
					t.Errorf("a chart of %s over %s has %d places to point at", shape, r, n)
				}
			}
			t.Logf("%s over %s: %d bytes", shape, r, len(page))
		}
	}
}

func TestTheRangesAreLinksThatWorkWithoutScripts(t *testing.T) {
	page := drawn(t, "steady", model.RangeWeek)
	for _, want := range []string{
		`href="/servers/steady?range=1h"`, `hx-get="/servers/steady?range=30d"`, `hx-target="#charts-steady"`, `hx-push-url="true"`, `<section class="charts" id="charts-steady"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is missing", want)
		}
	}
	if n := strings.Count(page, "aria-current"); n != 1 {
		t.Errorf("%d ranges are current", n)
	}
}

func TestWhereNothingWasMeasuredThePageSaysSo(t *testing.T) {
	if page := drawn(t, "nothing", model.RangeDay); !strings.Contains(page, "Nothing measured yet: the first point comes within 15 seconds.") || strings.Contains(page, "<figure") {
		t.Error("an empty chart is drawn")
	}
	if page := drawn(t, "down", model.RangeDay); !strings.Contains(page, "It did not run in the last 24 hours.") || !strings.Contains(page, `class="cell-down"`) {
		t.Error("it does not say that the server was down")
	}
	if page := small(t, "nothing"); !strings.Contains(page, `aria-label="CPU over the last hour: nothing measured"`) {
		t.Errorf("the small picture is %s", page)
	}
}

func BenchmarkADay(b *testing.B) {
	samples := canned.Samples("crashes", now, 24*time.Hour, 300)
	marks := model.MarksOf(canned.Turns("crashes", now, 24*time.Hour))[:20]
	b.ReportAllocs()
	for b.Loop() {
		c := model.NewCharts("api", model.RangeDay, samples, marks, now)
		if err := partials.Charts(c).Render(context.Background(), io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkARowOfSmallPictures(b *testing.B) {
	samples := canned.Samples("crashes", now, time.Hour, 240)
	from := now.Add(-time.Hour)
	b.ReportAllocs()
	for b.Loop() {
		for _, one := range []interface {
			Render(context.Context, io.Writer) error
		}{
			partials.Spark(model.NewSpark(samples, model.MeasureCPU, from, now)),
			partials.Spark(model.NewSpark(samples, model.MeasureMemory, from, now)),
			partials.Strip(model.NewStrip(samples, nil, from, now, 60)),
		} {
			if err := one.Render(context.Background(), io.Discard); err != nil {
				b.Fatal(err)
			}
		}
	}
}
