package access

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// places is how many accounts and how many addresses are counted apart. Those
// that share a place are slowed down together: so the memory is bounded, and a
// flood of made-up names makes nobody's count be forgotten.
const places = 4096

// pace says how one kind of attempts is slowed down.
type pace struct {
	free int           // so many failures cost nothing
	most time.Duration // what the delay, which doubles, grows up to
}

// An account's delay stays short: who only knows a name must not be able to
// keep its owner out for long.
var (
	accountPace = pace{free: 4, most: time.Minute}
	addressPace = pace{free: 9, most: 5 * time.Minute}
)

// forgiven is after how long a failure counts no more.
const forgiven = 10 * time.Minute

// throttle slows down those who guess passwords. Use newThrottle.
type throttle struct {
	seed maphash.Seed

	mu        sync.Mutex // guards what follows
	accounts  [places]strikes
	addresses [places]strikes
}

type strikes struct {
	n           int
	last, until time.Time
}

func newThrottle() *throttle { return &throttle{seed: maphash.MakeSeed()} }

// admit counts an attempt as a failure, before it is known whether it is one,
// so that many at once are no way round. It returns how long to wait where it
// is not to be made at all; then it is not counted.
func (t *throttle) admit(account, address string) time.Duration {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	a, b := t.places(account, address)
	if wait := max(a.until.Sub(now), b.until.Sub(now)); wait > 0 {
		return wait
	}
	a.strike(accountPace, now)
	b.strike(addressPace, now)
	return 0
}

// succeeded takes back what was counted. The address keeps its earlier
// failures: somebody who may sign in must not be able to guess for others.
func (t *throttle) succeeded(account, address string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a, b := t.places(account, address)
	*a = strikes{}
	b.n, b.until = max(b.n-1, 0), time.Time{}
}

func (t *throttle) places(account, address string) (a, b *strikes) {
	return &t.accounts[maphash.String(t.seed, account)%places], &t.addresses[maphash.String(t.seed, neighbourhood(address))%places]
}

func (s *strikes) strike(p pace, now time.Time) {
	if s.n > 0 {
		s.n -= min(s.n, int(now.Sub(s.last)/forgiven))
	}
	s.n++
	s.last = now
	s.until = now.Add(p.delay(s.n))
}

func (p pace) delay(failures int) time.Duration {
	d := time.Duration(0)
	for i := p.free; i < failures && d < p.most; i++ {
		d = max(2*d, time.Second)
	}
	return min(d, p.most)
}

// neighbourhood is what one attacker has of addresses: one of IPv4, a whole
// network of IPv6.
func neighbourhood(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return address
	}
	if ip = ip.Unmap().WithZone(""); ip.Is6() {
		if net, err := ip.Prefix(64); err == nil {
			return net.String()
		}
	}
	return ip.String()
}
