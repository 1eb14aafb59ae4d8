package archive

import "fmt"

// Delete removes the copy of a zone for good: it is gone after a power cut too.
func (a *Archive) Delete(id string) error {
	if err := a.remove(keyOf(id)); err != nil {
		return fmt.Errorf("delete copy: %w", err)
	}
	return nil
}

func (a *Archive) remove(k key) error {
	e, ok := a.snapshot(k)
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
	if !e.base.ownFile() {
		return nil
	}
	return a.removeFiles([]key{k})
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
