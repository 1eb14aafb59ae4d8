package transfer

import (
	"errors"
	"net/netip"
	"time"

	"secondaryd/internal/tsig"
	"secondaryd/internal/wire"
)

// ErrUnknownZone means that no zone of that id is configured.
var ErrUnknownZone = errors.New("no such zone")

// ForceTransfer orders a full transfer, whatever the serials say. It returns at
// once; the outcome shows in the zone's status and the log.
func (e *Engine) ForceTransfer(zoneID string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if j, ok := e.jobs[zoneID]; ok {
		e.wantLocked(j, wish{now: true, force: true, insist: true})
		return nil
	}
	if _, ok := e.registry.Zone(zoneID); ok {
		return nil // so new that its first transfer is yet to come
	}
	return ErrUnknownZone
}

// Notify takes a NOTIFY for a zone from an address, signed with key if that is
// not nil and verified then. It reports whether the sender may send one: it is
// a peer of the zone, or has a peer's key. The serial, if there is one, is a
// hint: one that we hold needs no check, any other proves nothing (RFC 1996
// section 3.8).
func (e *Engine) Notify(zoneID string, from netip.Addr, key *tsig.Key, serial uint32, hasSerial bool) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	j, ok := e.jobs[zoneID]
	if !ok || key == nil && !e.hasPeer(zoneID, from) {
		return false
	}
	if v := j.served.View(); hasSerial && v.Zone != nil && v.Serial == serial && !j.running {
		return true
	}
	e.wantLocked(j, wish{now: true, notified: true, from: from})
	return true
}

func (e *Engine) hasPeer(zoneID string, from netip.Addr) bool {
	z, _ := e.registry.Zone(zoneID)
	for _, id := range z.Peers {
		if p, ok := e.registry.Peer(id); ok {
			if addr, ok := p.AddrPort(); ok && addr.Addr() == from {
				return true
			}
		}
	}
	return false
}

// NotifyKey returns the key with that folded name that a peer of the zone may
// sign a NOTIFY with, the peer at that address before others; nil if there is
// none. Names of keys are not unique, so only the zone's own peers count.
func (e *Engine) NotifyKey(zoneID string, from netip.Addr, name wire.Name) *tsig.Key {
	var found *tsig.Key
	for _, p := range peersOf(e.registry, zoneID) {
		if p.key == nil || !p.key.Name().Equal(name) {
			continue
		}
		if p.addr.Addr() == from {
			return p.key
		}
		if found == nil {
			found = p.key
		}
	}
	return found
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
