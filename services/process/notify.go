package process

import (
	"strconv"
	"strings"

	"tend/services"
)

// Notice is what a server says of itself by sd_notify.
type Notice struct {
	Server, Run string
	Ready       bool
	Stopping    bool
	Reloading   bool
	Watchdog    bool    // a sign of life
	MainPID     int     // of the process that is the main one from now on, 0 where it does not say
	Status      *string // nil where it says nothing
}

// mostNotice bounds a message, in bytes.
const mostNotice = 4096

// parseNotice reads lines of NAME=value; what it does not know is left out.
func parseNotice(text string) (n Notice) {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch name {
		case "READY":
			n.Ready = n.Ready || value == "1"
		case "STOPPING":
			n.Stopping = n.Stopping || value == "1"
		case "RELOADING":
			n.Reloading = n.Reloading || value == "1"
		case "WATCHDOG":
			n.Watchdog = n.Watchdog || value == "1"
		case "MAINPID":
			if pid, err := strconv.Atoi(value); err == nil && pid > 1 {
				n.MainPID = pid
			}
		case "STATUS":
			shown := strings.Join(strings.Fields(strings.ToValidUTF8(value, "�")), " ")
			n.Status = &shown
		}
	}
	return n
}

// notifyName is the address of the one socket for all servers of an instance.
// It is an abstract one: a server with another user or root directory reaches
// it, too. Whoever sends is known by the kernel's word, not by what it says.
func notifyName(instance string) string { return "@tend/" + instance + "/notify" }

// notifyEnv returns the variables of a server that notifies.
func notifyEnv(s services.Server, instance string) map[string]string {
	if !s.Notifies() {
		return nil
	}
	env := map[string]string{"NOTIFY_SOCKET": notifyName(instance)}
	if s.Watchdog.Every > 0 {
		env["WATCHDOG_USEC"] = strconv.FormatInt(s.Watchdog.Every.Microseconds(), 10)
	}
	return env
}
