package orchestrator

import (
	"tend/services"
	"tend/services/process"
)

// OnHost lets the orchestrator use the machine's processes.
func OnHost(h *process.Host) Host { return machineHost{h} }

// machineHost narrows *process.Process to the interface Process.
type machineHost struct{ *process.Host }

func (h machineHost) Start(spec process.Spec) (Process, error) {
	p, err := h.Host.Start(spec)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (h machineHost) Adopt(run services.Run) (Process, error) {
	p, err := h.Host.Adopt(run)
	if err != nil {
		return nil, err
	}
	return p, nil
}
