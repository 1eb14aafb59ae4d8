package archive

// nextSeq numbers what is written now.
func (a *Archive) nextSeq() uint64 {
	a.write.Lock()
	defer a.write.Unlock()
	a.seq++
	return a.seq
}

// put writes a record, of which frame is the payload behind room for the head,
// and enters it in the index. It is on disk when the segment is synced to end.
func (a *Archive) put(h head, frame []byte) (s *segment, end int64, err error) {
	h.measure(frame)
	a.write.Lock()
	defer a.write.Unlock()
	return a.putLocked(h, frame)
}

func (a *Archive) putLocked(h head, frame []byte) (s *segment, end int64, err error) {
	if err := a.keepFileOf(&h); err != nil {
		return nil, 0, err
	}
	s, err = a.roomLocked(len(frame))
	if err != nil {
		return nil, 0, err
	}
	a.seq++
	h.seq = a.seq
	h.encode(frame, s.mark)
	p, err := s.append(frame)
	if err != nil {
		return nil, 0, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if e, ok := a.index.entries[h.key]; ok && h.kind != kindDelta && e.base.ownFile() {
		a.supersedeFile(h.key)
	}
	a.dropGenerations(h.key, a.index.enter(h, p))
	return s, s.end.Load(), nil
}

// keepFileOf is keepFile for who does not hold mu.
func (a *Archive) keepFileOf(h *head) error {
	if h.kind != kindCopy {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.keepFile(h)
}

// supersedeFile has the zone's own file removed when what comes instead is on
// disk. The caller holds mu.
func (a *Archive) supersedeFile(k key) {
	delete(a.pending, k)
	a.obsolete[k] = struct{}{}
}

// roomLocked returns the segment that takes the next n octets. The one before
// is synced, so that only the last may end in a torn record.
func (a *Archive) roomLocked(n int) (*segment, error) {
	if s := a.current; s != nil {
		if s.end.Load()+int64(n) <= maxSegment && !s.broken.Load() {
			return s, nil
		}
		a.current = nil
		if !s.broken.Load() {
			if err := s.syncTo(s.end.Load()); err != nil {
				return nil, err
			}
		}
	}
	a.number++
	s, err := createSegment(a.root, a.number, a.fsync)
	if err != nil {
		return nil, err
	}
	// Numbers of records that are lost with their segment are not used again.
	a.seq = max(a.seq, uint64(a.number)<<32)
	a.current = s
	a.mu.Lock()
	defer a.mu.Unlock()
	a.index.segments[s.number] = s
	return s, nil
}
