package main

import (
	"fmt"
	"strings"
	"testing"

	"tend/services"
	"tend/services/controltest"
)

func TestTheRealManagerKeepsTheContractOfControl(t *testing.T) {
	var config strings.Builder
	config.WriteString("servers:\n")
	for _, s := range controltest.Servers() {
		fmt.Fprintf(&config, "  %s: {command: [sleep, '1000'], autostart: false, depends_on: [%s]}\n", s.Name, strings.Join(s.Needs(), ", "))
	}
	controltest.Run(t, func(t *testing.T) services.Control {
		w := newWard(t, 0, nil)
		w.configure(config.String())
		w.open()
		return w.client
	})
}
