package nameserver

import (
	"encoding/binary"

	"secondaryd/internal/wire"
)

// nameTable remembers where in the message names lie, so that later ones can
// point to them (RFC 1035 section 4.1.4). It is a hash table with open
// addressing that takes hundreds of names, more than a message over UDP has, so
// that what the hashes happen to be never decides how long an answer is. Of a
// message with more it keeps the names that came first and holds on to the cost
// of a look-up, maxProbes places for each label. An entry is a hint: what it
// points to is compared, octet by octet, before it is used. So a rolled back
// RRset need not be taken out of the table, and the case of names is kept.
type nameTable struct {
	seed       uint64
	generation uint16
	suffixes   wire.Suffixes
	places     [nameTableSize]namePlace

	// later is a name in the message that is not entered yet, nil for none: many
	// answers have no name that could point to the question's.
	later   *wire.Suffixes
	laterAt int
}

type namePlace struct {
	tag        uint32
	at         uint16
	generation uint16 // of the message it belongs to
}

const (
	nameTableBits = 9
	nameTableSize = 1 << nameTableBits
	maxProbes     = 16        // places, from where its hash says, that a name can be in
	maxPointer    = 1<<14 - 1 // the highest offset that a pointer can hold
	pointerFlag   = 0xC000
)

func pointerTo(at int) uint16 { return pointerFlag | uint16(at) }

// reset forgets all names.
func (t *nameTable) reset() {
	t.later = nil
	if t.generation++; t.generation == 0 {
		t.places = [nameTableSize]namePlace{}
		t.generation = 1
	}
}

// homeOf returns the first place for a hash. Names with one parent and labels
// that count, h0 to h9, have hashes in even steps: the shift takes them apart, or
// one step in some hundred would put all ten side by side.
func homeOf(hash uint64) int {
	hash ^= hash >> 29
	return int(hash * 0x9E3779B97F4A7C15 >> (64 - nameTableBits))
}

// enter notes that the name with that hash lies at an offset of the message.
func (t *nameTable) enter(hash uint64, at int) {
	if at > maxPointer {
		return
	}
	home := homeOf(hash)
	for i := range maxProbes {
		p := &t.places[(home+i)%nameTableSize]
		if p.generation != t.generation {
			*p = namePlace{uint32(hash >> 32), uint16(at), t.generation}
			return
		}
	}
}

// enterLater notes the suffixes of s, a name that lies at an offset of the message,
// when the first name is written. Until then s must not change.
func (t *nameTable) enterLater(s *wire.Suffixes, at int) { t.later, t.laterAt = s, at }

// enterNow enters the name that waits for it, if any.
func (t *nameTable) enterNow() {
	s := t.later
	if s == nil {
		return
	}
	t.later = nil
	size := len(s.Name(0))
	for i := range s.Count() {
		t.enter(s.Hash(i), t.laterAt+size-len(s.Name(i)))
	}
}

// putName writes n with its longest known suffix as a pointer. It returns the
// offset that later records with this owner can point to, 0 if there is none,
// and reports whether n fitted.
func (m *message) putName(n wire.Name) (place int, ok bool) {
	m.names.enterNow()
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
		if at, ok := m.find(s.Hash(i), s.Name(i)); ok {
			return i, at
		}
	}
	return s.Count(), 0
}

// find returns where the message holds n, a name with that hash.
func (m *message) find(hash uint64, n wire.Name) (at int, ok bool) {
	home := homeOf(hash)
	for i := range maxProbes {
		p := m.names.places[(home+i)%nameTableSize]
		if p.generation != m.names.generation {
			break
		}
		if p.tag == uint32(hash>>32) && m.holds(int(p.at), n) {
			return int(p.at), true
		}
	}
	return 0, false
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
