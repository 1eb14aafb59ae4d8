package api

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Event is something that has happened to a zone or a peer. What does not apply
// is empty.
type Event struct {
	Kind      string // as in the manual
	At        time.Time
	ZoneID    string // empty for the events of peers
	Zone      string
	Peer      string
	Serial    *uint32
	OldSerial *uint32
	Transfer  string // axfr or ixfr
	Step      string
	Cause     string
	Detail    string
}

// The limits of events.
const (
	keptEvents  = 4096
	maxStreams  = 64
	batchEvents = 256 // that are written at once
	heartbeat   = 15 * time.Second
)

// Events keeps the last events and hands them to who reads the stream of them.
// It is safe for concurrent use.
type Events struct {
	run       string // tells the numbers of this process from those of others
	heartbeat time.Duration

	mu      sync.Mutex // guards the fields below
	kept    []Event    // the last ones, number n at n % keptEvents
	next    uint64     // number of the next
	readers map[*eventReader]struct{}
}

// NewEvents returns an Events that keeps nothing yet.
func NewEvents() *Events {
	var run [4]byte
	_, _ = rand.Read(run[:]) // never fails
	return &Events{run: hex.EncodeToString(run[:]), heartbeat: heartbeat, readers: map[*eventReader]struct{}{}}
}

// Publish keeps an event and wakes those who read. It never blocks.
func (e *Events) Publish(ev Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.kept) < keptEvents {
		e.kept = append(e.kept, ev)
	} else {
		e.kept[e.next%keptEvents] = ev
	}
	e.next++
	for r := range e.readers {
		select {
		case r.wake <- struct{}{}:
		default: // it is awake
		}
	}
}

// id names the event of a number.
func (e *Events) id(n uint64) string { return e.run + "-" + strconv.FormatUint(n, 10) }

// eventReader is one who reads. What is kept is its queue: who is so slow that
// the next event is kept no longer has missed it.
type eventReader struct {
	events *Events
	zone   string // empty: all
	wake   chan struct{}
	at     uint64 // number of the next to read
}

// numbered is an event with its number.
type numbered struct {
	Event
	n uint64
}

// join begins to read behind the event with the id last, from now on if that is
// empty; leave must follow. Where there is no such event any more, missed is
// true and what is kept is read. It fails with ErrBusy if too many read.
func (e *Events) join(last, zone string) (r *eventReader, missed bool, err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.readers) >= maxStreams {
		return nil, false, ErrBusy
	}
	r = &eventReader{events: e, zone: zone, wake: make(chan struct{}, 1), at: e.next}
	if last != "" {
		oldest := e.oldestLocked()
		n, err := strconv.ParseUint(strings.TrimPrefix(last, e.run+"-"), 10, 64)
		missed = err != nil || n+1 < oldest || n >= e.next
		r.at = n + 1
		if missed {
			r.at = oldest
		}
	}
	e.readers[r] = struct{}{}
	return r, missed, nil
}

func (r *eventReader) leave() {
	r.events.mu.Lock()
	defer r.events.mu.Unlock()
	delete(r.events.readers, r)
}

func (e *Events) oldestLocked() uint64 { return e.next - uint64(len(e.kept)) }

// take returns the next events in space, none if there are none; late tells that
// the reader has missed some.
func (r *eventReader) take(space []numbered) (batch []numbered, late bool) {
	e := r.events
	e.mu.Lock()
	defer e.mu.Unlock()
	if r.at < e.oldestLocked() {
		return nil, true
	}
	for batch = space[:0]; r.at < e.next && len(batch) < batchEvents; r.at++ {
		if ev := e.kept[r.at%keptEvents]; r.zone == "" || r.zone == ev.ZoneID {
			batch = append(batch, numbered{ev, r.at})
		}
	}
	return batch, false
}
