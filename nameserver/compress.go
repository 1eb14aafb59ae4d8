package nameserver

import (
	"encoding/binary"

	"secondaryd/internal/wire"
)

// nameTable remembers where in the message names lie, so that later ones can
// point to them (RFC 1035 section 4.1.4). It has one place for each hash: a
// look-up costs one probe per label whatever the message holds, and a name that
// lost its place is only compressed less. An entry is a hint: what it points to
// is compared, octet by octet, before it is used. So a rolled back RRset need
// not be taken out of the table, and the case of names is kept.
type nameTable struct {
	seed       uint64
	generation uint16
	suffixes   wire.Suffixes
	places     [nameTableSize]namePlace
}

type namePlace struct {
	tag        uint32
	at         uint16
	generation uint16 // of the message it belongs to
}

const (
	nameTableSize = 128
	maxPointer    = 1<<14 - 1 // the highest offset that a pointer can hold
	pointerFlag   = 0xC000
)

func pointerTo(at int) uint16 { return pointerFlag | uint16(at) }

// reset forgets all names.
func (t *nameTable) reset() {
	if t.generation++; t.generation == 0 {
		t.places = [nameTableSize]namePlace{}
		t.generation = 1
	}
}

// enter notes that the name with that hash lies at an offset of the message.
func (t *nameTable) enter(hash uint64, at int) {
	if at <= maxPointer {
		t.places[hash%nameTableSize] = namePlace{uint32(hash >> 32), uint16(at), t.generation}
	}
}

// enterAll notes the suffixes of s, a name that lies at an offset of the message.
func (t *nameTable) enterAll(s *wire.Suffixes, at int) {
	size := len(s.Name(0))
	for i := range s.Count() {
		t.enter(s.Hash(i), at+size-len(s.Name(i)))
	}
}

// putName writes n with its longest known suffix as a pointer. It returns the
// offset that later records with this owner can point to, 0 if there is none,
// and reports whether n fitted.
func (m *message) putName(n wire.Name) (place int, ok bool) {
	s := &m.names.suffixes
	s.Set(n, m.names.seed)
	known, at := m.findSuffix(s)
	literal := len(n) - len(s.Name(known))
	start := len(m.buf)
	if at == 0 {
		if !m.put(n) {
			return 0, false
		}
	} else {
		if start+literal+2 > m.limit {
			return 0, false
		}
		m.buf = append(m.buf, n[:literal]...)
		m.buf = binary.BigEndian.AppendUint16(m.buf, pointerTo(at))
	}
	for i := range known {
		m.names.enter(s.Hash(i), start+len(n)-len(s.Name(i)))
	}
	switch {
	case known == 0 && at != 0:
		return at, true
	case len(n) == 1 || start > maxPointer:
		return 0, true // the root is shorter than a pointer to it
	}
	return start, true
}

// findSuffix returns the first suffix of s that the message holds and where;
// the root and 0 if it holds none.
func (m *message) findSuffix(s *wire.Suffixes) (suffix, at int) {
	for i := range s.Count() {
		hash := s.Hash(i)
		p := m.names.places[hash%nameTableSize]
		if p.generation == m.names.generation && p.tag == uint32(hash>>32) && m.holds(int(p.at), s.Name(i)) {
			return i, int(p.at)
		}
	}
	return s.Count(), 0
}

// holds reports whether the message has name n at offset at. Each step uses up
// a label of n or goes backwards.
func (m *message) holds(at int, n wire.Name) bool {
	for at+1 < len(m.buf) {
		c := int(m.buf[at])
		if c > wire.MaxLabel {
			target := int(binary.BigEndian.Uint16(m.buf[at:])) &^ pointerFlag
			if target >= at {
				return false
			}
			at = target
			continue
		}
		if at+1+c > len(m.buf) || len(n) < 1+c || string(m.buf[at:at+1+c]) != string(n[:1+c]) {
			return false
		}
		if c == 0 {
			return true
		}
		at, n = at+1+c, n[1+c:]
	}
	// The root's octet may be the last of the message.
	return at < len(m.buf) && len(n) == 1 && m.buf[at] == 0
}
