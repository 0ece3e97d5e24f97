package main

import (
	"context"
	"io"
	"net/http"
	"time"

	"github.com/a-h/templ"

	"tend/views/canned"
	"tend/views/layout"
	"tend/views/model"
	"tend/views/partials"
)

// charts shows every course that charts can take, or the one that is named
// like a server, so that the links to the ranges lead somewhere.
func charts(r *http.Request) templ.Component {
	back := model.RangeDay
	if text := r.URL.Query().Get("range"); text != "" {
		back = model.RangeOf(text)
	}
	shapes := canned.Shapes
	if one := r.PathValue("id"); one != "" {
		shapes = []string{one}
	}
	var list []templ.Component
	for _, shape := range shapes {
		list = append(list, partials.Charts(chartsOf(shape, back)))
	}
	return page("charts", templ.Join(list...))
}

func chartsOf(shape string, back model.Range) model.Charts {
	now := time.Now()
	if shape == "month" {
		back = model.RangeMonth
	}
	events := canned.Turns(shape, now, back.Span())
	return model.NewCharts(shape, back, canned.Samples(shape, now, back.Span(), 300), model.MarksOf(events), now)
}

// sparks shows the small pictures of the overview.
func sparks() templ.Component {
	now := time.Now()
	from := now.Add(-time.Hour)
	var rows []sparkRow
	for _, shape := range canned.Shapes {
		samples := canned.Samples(shape, now, time.Hour, 240)
		rows = append(rows, sparkRow{
			name:   shape,
			cpu:    model.NewSpark(samples, model.MeasureCPU, from, now),
			memory: model.NewSpark(samples, model.MeasureMemory, from, now),
			health: model.NewStrip(samples, model.MarksOf(canned.Turns(shape, now, time.Hour)), from, now, 60),
		})
	}
	return page("sparks", sparkList(rows))
}

func page(title string, content templ.Component) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return layout.Page(frame(title)).Render(templ.WithChildren(ctx, content), w)
	})
}
