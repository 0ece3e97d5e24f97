package alerts

import (
	"fmt"
	"strings"

	"tend/services"
)

// Message is what a webhook gets as JSON.
type Message struct {
	Version int           `json:"version"` // 1
	Host    string        `json:"host"`
	URL     string        `json:"url"` // of the dashboard
	At      services.Time `json:"at"`
	Status  string        `json:"status"` // firing, resolved or test
	Alerts  []Alert       `json:"alerts"`
	Dropped int           `json:"dropped,omitempty"` // events that came faster than they could be told
}

// Alert is one thing that people are told.
type Alert struct {
	On      services.AlertOn `json:"on"`
	Server  string           `json:"server"` // empty where it is about the machine
	Message string           `json:"message"`
	At      services.Time    `json:"at"`
	Count   int              `json:"count"` // how often since it was told before, this time included
	Since   services.Time    `json:"since"` // of the first of these
	By      string           `json:"by"`
	Phase   services.Phase   `json:"phase"`
	Exit    *services.Exit   `json:"exit"`
}

// Title is the message in one line.
func (m Message) Title() string {
	if m.Status == "test" {
		return "tend on " + m.Host + ": test"
	}
	var parts []string
	seen := map[string]bool{}
	for _, a := range m.Alerts {
		part := strings.TrimSpace(a.Server + " " + word(a.On))
		if !seen[part] {
			parts, seen[part] = append(parts, part), true
		}
	}
	const most = 4
	if n := len(parts); n > most {
		parts = append(parts[:most-1], fmt.Sprintf("and %d more", n-most+1))
	}
	return "tend on " + m.Host + ": " + strings.Join(parts, ", ")
}

// mostLines bounds a text: services take only so much. The JSON has all.
const mostLines = 20

// Text is the message for people.
func (m Message) Text() string {
	var b strings.Builder
	b.WriteString(m.Title())
	for i, a := range m.Alerts {
		if i == mostLines && len(m.Alerts) > mostLines+1 {
			fmt.Fprintf(&b, "\nand %d more", len(m.Alerts)-i)
			break
		}
		fmt.Fprintf(&b, "\n%s %s", a.At.Local().Format("15:04:05"), a.Message)
		if a.Count > 1 {
			fmt.Fprintf(&b, " (%d times since %s)", a.Count, a.Since.Local().Format("15:04:05"))
		}
	}
	if m.Dropped > 0 {
		fmt.Fprintf(&b, "\n%d further events came too fast to be told", m.Dropped)
	}
	if m.URL != "" {
		b.WriteString("\n" + m.URL)
	}
	return b.String()
}

func word(on services.AlertOn) string {
	switch on {
	case services.OnCrash:
		return "crashed"
	case services.OnGiveUp:
		return "failed"
	case services.OnUnhealthy:
		return "is unhealthy"
	case services.OnRecovered:
		return "is well again"
	case services.OnThreshold:
		return "uses too much"
	case services.OnOrphan:
		return "is orphaned"
	case services.OnDisk:
		return "disk is nearly full"
	}
	return string(on)
}

// occasion says on which occasion an event tells people, "" for none.
func occasion(e services.Event) services.AlertOn {
	switch {
	case e.Kind == services.EventExited && e.Crash:
		return services.OnCrash
	case e.Kind == services.EventFailed:
		return services.OnGiveUp
	case e.Resolve:
		return ""
	case e.Kind == services.EventHealth && e.Status != nil && e.Status.Healthy != nil:
		return services.OnUnhealthy
	case e.Kind == services.EventThreshold:
		return services.OnThreshold
	case e.Kind == services.EventOrphan:
		return services.OnOrphan
	case e.Kind == services.EventDisk:
		return services.OnDisk
	}
	return ""
}

// resolves returns the occasions that an event ends.
func resolves(e services.Event) services.AlertOn {
	if !e.Resolve {
		return ""
	}
	switch e.Kind {
	case services.EventHealth:
		return services.OnUnhealthy
	case services.EventThreshold:
		return services.OnThreshold
	case services.EventOrphan:
		return services.OnOrphan
	case services.EventDisk:
		return services.OnDisk
	}
	return ""
}
