package process

// keep makes a run one of the live ones, until forget.
func (h *Host) keep(p *Process) {
	h.mu.Lock()
	h.live[p.run.ID] = p
	if !p.ours {
		h.strangers[p.run.ID] = true
	}
	h.mu.Unlock()
	h.changes.Add(1)
}

// Changes grows after it has changed which runs live.
func (h *Host) Changes() uint64 { return h.changes.Load() }

// begins notes that a run is being started, until over is called.
func (h *Host) begins(run string) (over func()) {
	c := make(chan struct{})
	h.mu.Lock()
	h.starting[run] = c
	h.mu.Unlock()
	return func() {
		h.mu.Lock()
		delete(h.starting, run)
		h.mu.Unlock()
		close(c)
	}
}

// awaitStart waits until a run that is being started is live, or will not be.
func (h *Host) awaitStart(run string) {
	h.mu.Lock()
	c := h.starting[run]
	h.mu.Unlock()
	if c != nil {
		<-c
	}
}

// estrange notes that the main process of a live run is no child of ours.
func (h *Host) estrange(run string) {
	h.mu.Lock()
	h.strangers[run] = true
	h.mu.Unlock()
	h.changes.Add(1)
}

// allOurs reports whether the main processes of all live runs are our children.
func (h *Host) allOurs() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.strangers) == 0
}

// all returns the live runs.
func (h *Host) all() []*Process {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]*Process, 0, len(h.live))
	for _, p := range h.live {
		out = append(out, p)
	}
	return out
}
