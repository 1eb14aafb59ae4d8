package archive

import "fmt"

// Delete removes the copy of a zone for good: it is gone after a power cut too.
// If it fails the copy is gone until the next start only, and is no history of
// what is saved next.
func (a *Archive) Delete(id string) error {
	if err := a.remove(keyOf(id)); err != nil {
		return fmt.Errorf("delete copy: %w", err)
	}
	return nil
}

func (a *Archive) remove(k key) error {
	ownFile, ok := a.abandon(k)
	if !ok {
		return nil
	}
	s, end, err := a.bury(k)
	if err != nil {
		return err
	}
	if s != nil {
		if err := s.syncTo(end); err != nil {
			return err
		}
	}
	if !ownFile {
		return nil
	}
	return a.removeFiles([]key{k})
}

// abandon has nobody find what there is of a zone; false if there is nothing.
func (a *Archive) abandon(k key) (ownFile, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.index.entries[k]
	if !ok || !e.there() && !e.abandoned {
		return false, false
	}
	e.abandoned = true
	return e.base.ownFile(), true
}

// bury ends what is on disk of a zone. If records of it must be hidden from the
// next start, that is on disk when the returned segment is synced to end.
func (a *Archive) bury(k key) (s *segment, end int64, err error) {
	h := head{kind: kindRemoved, key: k}
	frame := make([]byte, headSize)
	h.measure(frame)
	a.write.Lock()
	defer a.write.Unlock()
	if !a.forgetFile(k) {
		return nil, 0, nil
	}
	return a.putLocked(h, frame)
}

// forgetFile forgets a zone that has nothing but its own file, and reports
// whether there is more of it.
func (a *Archive) forgetFile(k key) (more bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.index.entries[k]
	if !ok || e.records > 0 {
		return ok
	}
	a.dropGenerations(k, e.older())
	a.supersedeFile(k)
	delete(a.index.entries, k)
	return false
}
