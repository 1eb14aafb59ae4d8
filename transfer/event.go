package transfer

import (
	"time"

	"secondaryd/zonestore"
)

// EventKind names what has happened, for programs.
type EventKind string

// The kinds of events.
const (
	EventPublished   EventKind = "published"     // a new version is served
	EventFailed      EventKind = "failed"        // a peer failed
	EventHeld        EventKind = "held"          // the guard keeps a new version back
	EventReleased    EventKind = "released"      // such a version is served by order
	EventDiscarded   EventKind = "discarded"     // such a version was dropped by order
	EventRolledBack  EventKind = "rolled_back"   // an earlier version is served by order
	EventExpired     EventKind = "expired"       // the copy is no longer served
	EventPeerLeftOut EventKind = "peer_left_out" // a peer that does not answer is left out for a while
	EventPeerBack    EventKind = "peer_back"     // such a peer is asked again, or needed no more
)

// Event is something that a person who watches zones wants to know of.
type Event struct {
	Kind      EventKind
	At        time.Time
	ZoneID    string // empty for the events of peers
	Zone      string
	Peer      string  // address and port, or the id of a peer without; empty for none
	Serial    *uint32 // of the version that the event is about, nil without one
	OldSerial *uint32 // of the version served before
	Transfer  string  // how a version that is published came: axfr or ixfr
	Err       *Error  // of a failure, of a version that is held, of a peer that is left out
}

// emit tells the listener of an event. It is called with the engine's mutex held.
func (e *Engine) emit(ev Event) {
	if e.listen != nil {
		ev.At = time.Now()
		e.listen(ev)
	}
}

// emitZone tells of an event of a zone that has to do with one serial.
func (e *Engine) emitZone(kind EventKind, served *zonestore.Served, serial uint32) {
	if e.listen != nil {
		e.emit(Event{Kind: kind, ZoneID: served.ID(), Zone: served.Apex().String(), Serial: &serial})
	}
}

// emitServed tells that another version is served by order than old was.
func (e *Engine) emitServed(kind EventKind, served *zonestore.Served, old *zonestore.View) {
	if e.listen != nil {
		e.emit(Event{
			Kind: kind, ZoneID: served.ID(), Zone: served.Apex().String(), Serial: serialOf(served.View()), OldSerial: serialOf(old),
		})
	}
}

// emitPeer tells of an event of a peer, with the cause if there is one.
func (e *Engine) emitPeer(kind EventKind, peer string, cause *Error) {
	e.emit(Event{Kind: kind, Peer: peer, Err: cause})
}

// emitRefresh tells what a refresh came to: each peer that failed, and what
// became of a new version. What confirms the copy is no event.
func (e *Engine) emitRefresh(o order, old *zonestore.View, r *refreshResult, published bool) {
	if e.listen == nil {
		return
	}
	about := func(kind EventKind) Event { return Event{Kind: kind, ZoneID: o.served.ID(), Zone: o.apex.String()} }
	for _, a := range r.attempts {
		if a.err == nil || a.leftOut {
			continue
		}
		ev := about(EventFailed)
		ev.Peer, ev.Serial, ev.Err = a.peer.label(), serialOf(o.served.View()), a.err
		e.emit(ev)
	}
	if !published && r.hold == nil {
		return
	}
	ev := about(EventPublished)
	ev.Peer, ev.Serial, ev.OldSerial, ev.Transfer = r.from.label(), new(r.zone.Serial()), serialOf(old), r.kind.String()
	switch {
	case r.released:
		ev.Kind = EventReleased
	case r.hold != nil:
		ev.Kind, ev.Err = EventHeld, r.hold
	}
	e.emit(ev)
}

// serialOf is the serial of a copy, be it an expired one; nil without one. It does
// not point into the view: an event may be kept for longer.
func serialOf(v *zonestore.View) *uint32 {
	if v.State == zonestore.StateEmpty {
		return nil
	}
	return new(v.Serial)
}
