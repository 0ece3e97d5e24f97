package orchestrator

import (
	"testing"

	"tend/services"
	"tend/services/controltest"
)

func TestTheOrchestratorKeepsTheContractOfControl(t *testing.T) {
	servers := controltest.Servers()
	controltest.Run(t, func(t *testing.T) services.Control {
		h := open(t, newFakeHost(), nil, true, servers...)
		t.Cleanup(h.close)
		return h
	})
}
