package transfer

import (
	"slices"
	"time"

	"secondaryd/zonestore"
	"secondaryd/zonestore/zone"
)

// VersionState says what is done with a version.
type VersionState string

// The states of versions.
const (
	VersionServed  VersionState = "served"
	VersionExpired VersionState = "expired" // the copy, which is too old to be served
	VersionHeld    VersionState = "held"    // kept back until somebody decides, or something newer comes
	VersionKept    VersionState = "kept"    // an earlier one
)

// Version is a version of a zone that is there to be looked at.
type Version struct {
	Serial   uint32
	Received time.Time // zero if that is not known
	State    VersionState
	Records  int  // 0 if they are not counted
	Changes  bool // it is kept as its differences from the one before
}

// Versions lists the versions of a zone, the newest first: what the guard holds,
// what is served, and what is kept on disk. It is empty before the first transfer.
func (e *Engine) Versions(zoneID string) ([]Version, error) {
	served, ok := e.store.Get(zoneID)
	if !ok {
		return nil, nil // so new that it has none
	}
	view := served.View()
	kept, err := e.store.Versions(served)
	if err != nil {
		return nil, err
	}
	known := func(serial uint32) bool {
		return slices.ContainsFunc(kept, func(v zonestore.Version) bool { return v.Serial == serial })
	}
	held := e.heldOf(zoneID)
	var list []Version
	if held != nil && held.zone != nil && !known(held.serial) {
		list = append(list, Version{Serial: held.serial, Received: held.fetched, State: VersionHeld, Records: held.zone.Records()})
	}
	if view.State != zonestore.StateEmpty && !known(view.Serial) { // it could not be saved yet
		list = append(list, versionOf(zonestore.Version{Serial: view.Serial}, view, held))
	}
	for _, v := range kept {
		list = append(list, versionOf(v, view, held))
	}
	return list, nil
}

// versionOf says what is known of a version on disk.
func versionOf(kept zonestore.Version, view *zonestore.View, h *held) Version {
	v := Version{Serial: kept.Serial, Received: kept.Received, Changes: kept.Changes, State: VersionKept}
	gone := h.rollback()
	switch {
	case view.Serial == v.Serial && view.State == zonestore.StateExpired:
		v.State = VersionExpired
	case view.Serial == v.Serial && view.State == zonestore.StateServing:
		v.State, v.Records = VersionServed, view.Zone.Records()
	case gone != nil && gone.serial == v.Serial && !gone.discarded:
		v.State, v.Records = VersionHeld, gone.records
	}
	return v
}

// Version returns the version of a zone with that serial, be it served, held or
// kept; it fails with ErrNoVersion if it is none of these. That of an earlier one
// is made from what is on disk.
func (e *Engine) Version(zoneID string, serial uint32) (*zone.Zone, error) {
	served, ok := e.store.Get(zoneID)
	if !ok {
		return nil, ErrNoVersion
	}
	if v := served.View(); v.Zone != nil && v.Serial == serial {
		return v.Zone, nil
	}
	if h := e.heldOf(zoneID); h != nil && h.zone != nil && h.serial == serial {
		return h.zone, nil
	}
	return e.store.Version(served, serial)
}

func (e *Engine) heldOf(zoneID string) *held {
	e.mu.Lock()
	defer e.mu.Unlock()
	if j, ok := e.jobs[zoneID]; ok {
		return j.held
	}
	return nil
}
