package archive

import "fmt"

const (
	// A chain of deltas may grow to the size of its base, but at least to
	// minChain octets: so the disk holds at most about twice the zones, and a
	// restart reads at most about twice.
	minChain = 64 << 10
	// maxLinks bounds what a chain takes in memory and in reads.
	maxLinks = 4096
)

// Append journals a delta that leads the zone from one serial to another; it is
// on disk when Append returns. Callers at the same time share fsyncs. It
// returns ErrNeedsCopy, and writes nothing, if the delta does not continue what
// is on disk or if too much is journaled already: then Save is called for.
// After any other error, too, only Save makes sure of the version.
func (a *Archive) Append(meta Meta, from, to uint32, changes []byte) error {
	if len(changes) > maxPayload {
		return ErrNeedsCopy
	}
	h := head{kind: kindDelta, key: keyOf(meta.ID), received: meta.Received.UnixMicro(), serial: to}
	frame := append(make([]byte, headSize, headSize+len(changes)), changes...)
	ok := false
	if h.prev, ok = a.successor(h.key, from, len(frame)); !ok {
		return ErrNeedsCopy
	}
	if err := a.append(h, frame); err != nil {
		return fmt.Errorf("journal delta: %w", err)
	}
	return nil
}

func (a *Archive) append(h head, frame []byte) error {
	if err := a.settleBase(h.key); err != nil {
		return err
	}
	s, end, err := a.put(h, frame)
	if err != nil {
		return err
	}
	return s.syncTo(end)
}

// successor returns the seq of the record that a delta of size octets from that
// serial continues.
func (a *Archive) successor(k key, from uint32, size int) (prev uint64, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.index.entries[k]
	if !ok || !e.there() || e.damaged != 0 || e.seq == unnumbered || e.seq == unreadable || e.serial != from {
		return 0, false
	}
	if c := e.chain; c != nil {
		size += int(c.octets)
	}
	return e.last(), len(e.links()) < maxLinks && size <= max(minChain, int(e.base.size))
}

// settleBase brings the own file that a delta continues to disk before it.
func (a *Archive) settleBase(k key) error {
	a.mu.Lock()
	seq, ok := a.pending[k]
	a.mu.Unlock()
	if !ok {
		return nil
	}
	if err := a.settleFile(k, seq); err != nil {
		return err
	}
	return a.syncFolders([]key{k})
}
