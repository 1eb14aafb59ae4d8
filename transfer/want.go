package transfer

import (
	"errors"
	"time"
)

// ErrUnknownZone means that no zone of that id is configured.
var ErrUnknownZone = errors.New("no such zone")

// ForceTransfer orders a full transfer, whatever the serials say. It returns at
// once; the outcome shows in the zone's status and the log.
func (e *Engine) ForceTransfer(zoneID string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if j, ok := e.jobs[zoneID]; ok {
		e.wantLocked(j, wish{now: true, force: true})
		return nil
	}
	if _, ok := e.registry.Zone(zoneID); ok {
		return nil // so new that its first transfer is yet to come
	}
	return ErrUnknownZone
}

// wantLocked joins w to what j is wanted for; while a refresh runs, it waits.
func (e *Engine) wantLocked(j *job, w wish) {
	j.wish.join(w)
	if j.running || j.queued != nil {
		return
	}
	j.granted = true // an order or a NOTIFY cuts the wait short, once
	j.check = time.Now()
	e.scheduleLocked(j)
}
