// Package alerts tells people what happens: by a webhook of our own, or by a
// notification service that a library knows.
//
// Each rule has a goroutine, which gathers what belongs together, keeps to the
// rule's pace and quiet hours, and delivers: a target that hangs or fails
// delays nobody else. Event never blocks. An address may hold a token, so no
// address is ever shown but for its scheme and host.
package alerts

import (
	"context"
	"log/slog"
	"net/http"
	"reflect"
	"sync"
	"time"

	"tend/services"
)

// Options says what to tell whom.
type Options struct {
	Rules  []services.AlertRule
	Host   string               // name of the machine
	URL    string               // of the dashboard
	Client *http.Client         // of webhooks; nil for one that refuses what Guard does
	Report func(services.Event) // kind EventAlert: a target could not be reached
	Log    *slog.Logger
}

// Alerts tells people. Use New; everybody may call its methods.
type Alerts struct {
	o     Options
	ctx   context.Context // ends with Run
	end   context.CancelFunc
	lives sync.WaitGroup

	mu     sync.Mutex // guards what follows
	routes []*route
}

// New makes what tells people; it works until Run ends.
func New(o Options) *Alerts {
	if o.Client == nil {
		o.Client = NewClient()
	}
	a := &Alerts{o: o}
	a.ctx, a.end = context.WithCancel(context.Background())
	a.SetRules(o.Rules)
	return a
}

// Run lives until ctx ends. What is being delivered is broken off.
func (a *Alerts) Run(ctx context.Context) error {
	<-ctx.Done()
	a.mu.Lock()
	a.end()
	a.mu.Unlock()
	a.lives.Wait()
	return nil
}

// SetRules takes other rules. What is known of a rule that stays is kept.
func (a *Alerts) SetRules(rules []services.AlertRule) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.ctx.Err() != nil {
		return
	}
	left := a.routes
	a.routes = nil
	for _, rule := range rules {
		var r *route
		for i, old := range left {
			if old != nil && reflect.DeepEqual(old.rule, rule) {
				r, left[i] = old, nil
				break
			}
		}
		if r == nil {
			r = newRoute(a.o, rule)
			ctx, end := context.WithCancel(a.ctx)
			r.end = end
			a.lives.Go(func() { r.run(ctx) })
		}
		a.routes = append(a.routes, r)
	}
	for _, r := range left {
		if r != nil {
			r.end()
		}
	}
}

// Event takes what has happened. It never blocks.
func (a *Alerts) Event(e services.Event) {
	for _, r := range a.list() {
		r.offer(e)
	}
}

func (a *Alerts) list() []*route {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.routes
}

// Targets lists every rule with its target.
func (a *Alerts) Targets() []services.AlertTarget {
	out := []services.AlertTarget{}
	for _, r := range a.list() {
		out = append(out, r.target())
	}
	return out
}

// testTime bounds the test of a target.
const testTime = 15 * time.Second

// Test sends a message to every target, once, and waits for the outcome.
func (a *Alerts) Test(ctx context.Context) []services.AlertTest {
	ctx, cancel := context.WithTimeout(ctx, testTime)
	defer cancel()
	list := a.list()
	out := make([]services.AlertTest, len(list))
	var all sync.WaitGroup
	for i, r := range list {
		all.Go(func() {
			out[i] = services.AlertTest{Target: r.shown, OK: true, Message: "sent"}
			m := r.message("test", []Alert{{Message: "this is a test: alerts reach you", At: services.Time{Time: time.Now()}, Count: 1}})
			if err := r.send(ctx, m); err != nil {
				out[i].OK, out[i].Message = false, err.Error()
			}
		})
	}
	all.Wait()
	return out
}
