package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"secondaryd/zonestore/zone"
)

// Recovery tells what Open found that is no whole copy.
type Recovery struct {
	Torn     int     // writes that a crash interrupted, cut off or removed
	Faults   []error // damage and unknown formats, one for each file
	Doubtful bool    // zones may have lost a newer version than Load gives, which ones is not known
}

// recovery reads what is there at the start.
type recovery struct {
	*Archive
	found Recovery
	lost  map[key]link // the newest damaged record of a zone, and where
	old   []oldFile    // of older generations
}

// recover fills the index. What can't be read is reported and worked around.
func (a *Archive) recover() Recovery {
	r := recovery{Archive: a, lost: map[key]link{}}
	r.readSegments()
	r.readFiles()
	for k := range r.lost {
		a.index.entry(k) // if that was all there is of the zone
	}
	for k, e := range a.index.entries {
		a.index.settle(k, e, r.lost[k])
	}
	a.index.before = nil
	r.tidyOldFiles()
	a.resume()
	return r.found
}

// resume goes on with the last segment if it can take more.
func (a *Archive) resume() {
	a.seen = a.number
	s, ok := a.index.segments[a.number]
	if ok && s.aside == "" && s.end.Load() < maxSegment {
		a.current = s
	}
}

// fault notes a file that is set aside under that name.
func (r *recovery) fault(name string, err error) {
	r.found.Faults = append(r.found.Faults, &DamagedError{Aside: filepath.Join(folder, name), Err: err})
}

// leave notes a file that is left where it is.
func (r *recovery) leave(name string, err error) {
	r.found.Faults = append(r.found.Faults, fmt.Errorf("%s is left alone: %w", filepath.Join(folder, name), err))
	r.found.Doubtful = true
}

func (r *recovery) readSegments() {
	var numbers []uint32
	for _, name := range r.list(segments) {
		number, suffix, ok := segmentNumber(name)
		if !ok {
			continue
		}
		r.number = max(r.number, number)
		if suffix == "" {
			numbers = append(numbers, number)
		}
	}
	slices.Sort(numbers)
	for i, number := range numbers {
		if err := r.readSegment(number, i == len(numbers)-1); err != nil {
			r.leave(segmentName(number), err)
		}
	}
}

// list returns the names in a folder in order, none if it is not there.
func (r *recovery) list(name string) []string {
	f, err := r.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		r.leave(name, err)
		return nil
	}
	names, err := f.Readdirnames(-1)
	if err := errors.Join(err, f.Close()); err != nil {
		r.leave(name, err)
	}
	slices.Sort(names)
	return names
}

func (r *recovery) readSegment(number uint32, last bool) error {
	f, err := r.root.OpenFile(segmentName(number), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	s := &segment{number: number, file: f, fsync: r.fsync}
	if err := s.readHead(); err != nil {
		torn := last && info.Size() <= int64(segmentHead)
		return errors.Join(f.Close(), r.refuseSegment(number, torn, err))
	}
	r.index.segments[number] = s
	if info.Size() > maxSegment {
		r.damaged(s, "longer than a segment may be")
		r.found.Doubtful = true
	}
	r.readRecords(s, min(info.Size(), maxSegment), last)
	return nil
}

// refuseSegment deals with a file of which nothing can be read: torn means that
// a crash interrupted its making.
func (r *recovery) refuseSegment(number uint32, torn bool, cause error) error {
	name := segmentName(number)
	switch {
	case torn:
		r.found.Torn++
		return r.root.Remove(name)
	case errors.Is(cause, zone.ErrVersion):
		r.leave(name, cause)
		return nil
	}
	r.fault(name+asideDamaged, cause)
	r.found.Doubtful = true
	return r.root.Rename(name, name+asideDamaged)
}

// readRecords learns what is in a segment. What is not whole at the end of the
// last one was being written during a crash; anywhere else it is damage.
func (r *recovery) readRecords(s *segment, size int64, last bool) {
	end := int64(segmentHead)
	s.end.Store(size)
	var broken []found // since the last whole record
	for f := range s.scan(size) {
		if !f.whole {
			broken = append(broken, f)
			continue
		}
		r.lose(s, broken)
		broken = broken[:0]
		r.seq = max(r.seq, f.seq)
		r.index.learn(f.head, f.place)
		end = int64(f.place.offset) + int64(f.place.size)
	}
	if len(broken) == 0 {
		return
	}
	if !last || s.aside != "" || s.file.Truncate(end) != nil {
		r.lose(s, broken)
		return
	}
	s.end.Store(end)
	r.found.Torn++
	r.found.Doubtful = true
}

// lose notes records that are damaged.
func (r *recovery) lose(s *segment, broken []found) {
	for _, f := range broken {
		if !f.known {
			r.found.Doubtful = true
		} else if f.seq >= r.lost[f.key].seq {
			r.lost[f.key] = link{seq: f.seq, place: place{segment: s.number}}
			r.seq = max(r.seq, f.seq)
		}
		r.damaged(s, "damaged records")
	}
}

// damaged has s set aside as soon as what is whole in it has been copied.
func (r *recovery) damaged(s *segment, what string) {
	if s.aside != "" {
		return
	}
	s.aside = asideDamaged
	r.fault(segmentName(s.number)+asideDamaged, fmt.Errorf("%w: segment: %s", zone.ErrDamaged, what))
}
