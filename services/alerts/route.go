package alerts

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"tend/services"
)

const (
	gather   = 2 * time.Second  // what comes within it goes into one message
	steady   = 60 * time.Second // a server that has crashed is well again after so long
	room     = 256              // events that wait for a rule that is busy
	attempts = 5
	oneTry   = 10 * time.Second
	longest  = 2 * time.Minute // between two attempts
)

// route is one rule. Its goroutine alone touches what is not guarded.
type route struct {
	o     Options
	rule  services.AlertRule
	shown string // the target, without what may be secret
	send  func(ctx context.Context, m Message) error
	in    chan services.Event
	end   context.CancelFunc

	state   map[key]*told
	pending []Alert
	flush   time.Time // when pending is sent, zero for never

	mu      sync.Mutex // guards what follows
	dropped int
	sent    time.Time
	failure string
	waiting int
}

// key is one kind of trouble of one server.
type key struct {
	server string
	on     services.AlertOn
}

// told is what people know of a trouble.
type told struct {
	at     time.Time // when it was told last
	firing bool      // told, and not resolved since
	count  int       // since then
	since  time.Time // of the first of these
	last   Alert     // the latest of these
	well   time.Time // since when a server that has crashed runs, zero while it does not
}

func newRoute(o Options, rule services.AlertRule) *route {
	r := &route{o: o, rule: rule, in: make(chan services.Event, room), state: make(map[key]*told)}
	address := rule.Webhook
	if address == "" {
		address = rule.Notify
	}
	r.shown = Shown(address)
	if rule.Webhook != "" {
		r.send = func(ctx context.Context, m Message) error { return post(ctx, o.Client, rule.Webhook, m) }
	} else {
		r.send = func(ctx context.Context, m Message) error { return notify(ctx, rule.Notify, m) }
	}
	return r
}

// Shown is what may be shown of an address.
func Shown(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme == "" {
		return "an address that cannot be read"
	}
	if strings.Contains(u.Scheme, "http") && u.Port() != "" {
		return u.Scheme + "://" + net.JoinHostPort(u.Hostname(), u.Port())
	}
	return u.Scheme + "://" + u.Hostname()
}

// offer takes an event, if the rule has room.
func (r *route) offer(e services.Event) {
	select {
	case r.in <- e:
	default:
		r.mu.Lock()
		r.dropped++
		r.mu.Unlock()
	}
}

func (r *route) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-r.in:
			r.take(e, time.Now())
		case <-timer.C:
		}
		now := time.Now()
		r.recovered(now)
		r.held(now)
		if !r.flush.IsZero() && !now.Before(r.flush) {
			r.deliver(ctx)
		}
		timer.Reset(r.wake(time.Now()))
	}
}

// wake returns when there is something to do again.
func (r *route) wake(now time.Time) time.Duration {
	next := now.Add(time.Hour)
	earlier := func(at time.Time) {
		if !at.IsZero() && at.Before(next) {
			next = at
		}
	}
	if earlier(r.flush); len(r.pending) > 0 { // quiet hours end by the clock on the wall, which somebody may set
		earlier(now.Add(time.Minute))
	}
	for _, t := range r.state {
		if t.firing && !t.well.IsZero() {
			earlier(t.well.Add(steady))
		}
		if t.count > 0 {
			earlier(t.at.Add(r.rule.Every))
		}
	}
	return max(0, next.Sub(now))
}

// take notes an event.
func (r *route) take(e services.Event, now time.Time) {
	if len(r.rule.Servers) > 0 && !slices.Contains(r.rule.Servers, e.Server) {
		return
	}
	r.watch(e, now)
	if on := resolves(e); on != "" {
		r.resolve(key{e.Server, on}, e, now)
	}
	on := occasion(e)
	if on == "" || !slices.Contains(r.rule.On, on) {
		return
	}
	a := Alert{On: on, Server: e.Server, Message: e.Message, At: e.At, Count: 1, Since: e.At, By: e.By}
	if e.Status != nil {
		a.Phase, a.Exit = e.Status.Phase, e.Status.Exit
	}
	k := key{e.Server, on}
	t := r.state[k]
	if t == nil {
		t = &told{}
		r.state[k] = t
	}
	t.well = time.Time{}
	if t.count++; t.count == 1 {
		t.since = e.At.Time
	}
	t.last = a
	if t.at.IsZero() || now.Sub(t.at) >= r.rule.Every {
		r.tell(t, now)
	}
}

// watch notes whether servers that have crashed run.
func (r *route) watch(e services.Event, now time.Time) {
	if e.Status == nil {
		return
	}
	for _, on := range []services.AlertOn{services.OnCrash, services.OnGiveUp} {
		t := r.state[key{e.Server, on}]
		switch {
		case t == nil || !t.firing:
		case e.Status.Phase == services.Running && t.well.IsZero():
			t.well = now
		case e.Status.Phase != services.Running:
			t.well = time.Time{}
		}
		if t != nil && t.firing && e.Status.Phase == services.Stopped { // somebody has decided
			t.firing, t.count = false, 0
		}
	}
}

// recovered resolves crashes of servers that have been running for a while.
func (r *route) recovered(now time.Time) {
	for k, t := range r.state {
		if t.firing && !t.well.IsZero() && now.Sub(t.well) >= steady {
			r.resolve(k, services.Event{Server: k.server, At: services.Time{Time: now}, Message: k.server + ": runs again for " + steady.String()}, now)
		}
	}
}

// held tells of what came too soon after the last message to be told then.
func (r *route) held(now time.Time) {
	for _, t := range r.state {
		if t.count > 0 && now.Sub(t.at) >= r.rule.Every {
			r.tell(t, now)
		}
	}
}

// tell puts a trouble into the next message.
func (r *route) tell(t *told, now time.Time) {
	a := t.last
	a.Count, a.Since = t.count, services.Time{Time: t.since}
	t.at, t.firing, t.count = now, true, 0
	r.put(a, now)
}

// resolve tells that a trouble is over, if people know of it.
func (r *route) resolve(k key, e services.Event, now time.Time) {
	t := r.state[k]
	if t == nil || !t.firing {
		return
	}
	t.firing, t.count, t.well = false, 0, time.Time{}
	if slices.Contains(r.rule.On, services.OnRecovered) {
		r.put(Alert{On: services.OnRecovered, Server: k.server, Message: e.Message, At: e.At, Count: 1, Since: e.At, Phase: services.Running}, now)
	}
}

func (r *route) put(a Alert, now time.Time) {
	if i := slices.IndexFunc(r.pending, func(b Alert) bool { return b.Server == a.Server && b.On == a.On }); i >= 0 {
		// In quiet hours the same trouble comes again and again: it is summed up.
		a.Count, a.Since = a.Count+r.pending[i].Count, r.pending[i].Since
		r.pending = slices.Delete(r.pending, i, i+1)
	}
	r.pending = append(r.pending, a)
	if at := quietUntil(r.rule.Quiet, now); !at.IsZero() {
		r.flush = at
	} else if r.flush.IsZero() {
		r.flush = now.Add(gather)
	}
	r.mu.Lock()
	r.waiting = len(r.pending)
	r.mu.Unlock()
}

// quietUntil returns the end of the quiet hours in which an instant lies, zero
// for none.
func quietUntil(q services.QuietHours, now time.Time) time.Time {
	if q == (services.QuietHours{}) {
		return time.Time{}
	}
	now = now.Local()
	at := func(d time.Duration, days int) time.Time { // by the clock on the wall, also where it is changed that day
		return time.Date(now.Year(), now.Month(), now.Day()+days, int(d/time.Hour), int(d/time.Minute)%60, 0, 0, now.Location())
	}
	for _, days := range []int{-1, 0} {
		end := days
		if q.To <= q.From {
			end++
		}
		if from, to := at(q.From, days), at(q.To, end); !now.Before(from) && now.Before(to) {
			return to
		}
	}
	return time.Time{}
}

// deliver sends what is pending: what is wrong, then what is well again.
func (r *route) deliver(ctx context.Context) {
	if at := quietUntil(r.rule.Quiet, time.Now()); !at.IsZero() {
		r.flush = at
		return
	}
	var firing, resolved []Alert
	for _, a := range r.pending {
		if a.On == services.OnRecovered {
			resolved = append(resolved, a)
		} else {
			firing = append(firing, a)
		}
	}
	r.pending, r.flush = nil, time.Time{}
	if len(firing) > 0 {
		r.try(ctx, r.message("firing", firing))
	}
	if len(resolved) > 0 {
		r.try(ctx, r.message("resolved", resolved))
	}
}

func (r *route) message(status string, list []Alert) Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := Message{Version: 1, Host: r.o.Host, URL: r.o.URL, At: services.Time{Time: time.Now()}, Status: status, Alerts: list}
	if status != "test" {
		m.Dropped, r.dropped = r.dropped, 0
	}
	return m
}

// try sends a message, several times if it has to.
func (r *route) try(ctx context.Context, m Message) {
	pause := time.Second
	for n := 1; ; n++ {
		once, cancel := context.WithTimeout(ctx, oneTry)
		err := r.send(once, m)
		cancel()
		r.note(err)
		if err == nil || ctx.Err() != nil {
			return
		}
		final, asked := verdict(err)
		if final || n == attempts {
			r.o.Log.Warn("an alert could not be delivered", "target", r.shown, "attempts", n, "err", err)
			r.o.Report(services.Event{Kind: services.EventAlert, Message: fmt.Sprintf("an alert could not be delivered to %s: %v", r.shown, err)})
			return
		}
		wait := min(max(asked, pause+rand.N(pause/2)), longest)
		pause *= 2
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

func (r *route) note(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = len(r.pending)
	if r.failure = ""; err != nil {
		r.failure = err.Error()
		return
	}
	r.sent = time.Now()
}

func (r *route) target() services.AlertTarget {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := services.AlertTarget{Target: r.shown, On: r.rule.On, Servers: r.rule.Servers, Sent: services.Time{Time: r.sent}, Error: r.failure, Waiting: r.waiting}
	if out.Servers == nil {
		out.Servers = []string{}
	}
	return out
}
