package services

import (
	"net/netip"
	"slices"
	"time"
)

// AlertOn is an occasion to tell somebody.
type AlertOn string

// The occasions.
const (
	OnCrash     AlertOn = "crash"     // a run ended by itself and not cleanly
	OnGiveUp    AlertOn = "give_up"   // a server failed and waits for a person
	OnUnhealthy AlertOn = "unhealthy" // a check fails
	OnRecovered AlertOn = "recovered" // what was told of by one of the others is well again
	OnThreshold AlertOn = "threshold" // a server used more than it should for too long
	OnOrphan    AlertOn = "orphan"    // a process that is not ours holds a port, or left the configuration
	OnDisk      AlertOn = "disk"      // the disk of the logs is nearly full
)

// AlertOccasions lists every occasion once.
var AlertOccasions = []AlertOn{OnCrash, OnGiveUp, OnUnhealthy, OnRecovered, OnThreshold, OnOrphan, OnDisk}

// AlertRule says what to tell whom. Exactly one of Webhook and Notify is set.
type AlertRule struct {
	On      []AlertOn
	Servers []string      // empty for all
	Webhook string        // URL that gets a POST of JSON; a secret, as it may hold a token
	Notify  string        // URL of a notification service; a secret
	Every   time.Duration // at most one message of a server and an occasion in this time; what comes meanwhile is counted
	Quiet   QuietHours
}

// QuietHours is a daily span in local time in which nobody is told: what
// happened is summed up at its end. Both 0 for none; To before From spans
// midnight.
type QuietHours struct {
	From, To time.Duration // since midnight
}

// AlertTarget is where a rule tells, and how that went.
type AlertTarget struct {
	Target  string    `json:"target"` // scheme and host
	On      []AlertOn `json:"on"`
	Servers []string  `json:"servers"` // empty for all
	Sent    Time      `json:"sent"`    // last
	Error   string    `json:"error"`   // of the last attempt, empty where it went well
	Waiting int       `json:"waiting"` // alerts that are to be sent
}

// AlertTest is how the test of a target went.
type AlertTest struct {
	Target  string `json:"target"`
	OK      bool   `json:"ok"`
	Message string `json:"message"`
}

// metadata are addresses at which clouds keep the secrets of a machine.
var metadata = []netip.Addr{
	netip.MustParseAddr("100.100.100.200"), netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("168.63.129.16"), netip.MustParseAddr("192.0.0.192"),
}

// Tellable reports whether alerts may be sent to an address: not to one that is
// link-local, multicast or unspecified, nor where clouds keep their metadata.
func Tellable(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	return ip.IsValid() && !ip.IsLinkLocalUnicast() && !ip.IsMulticast() && !ip.IsUnspecified() && !slices.Contains(metadata, ip)
}
