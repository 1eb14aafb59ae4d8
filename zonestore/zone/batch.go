package zone

import (
	"cmp"
	"encoding/binary"
	"iter"
	"slices"

	"secondaryd/internal/wire"
)

// A batch holds records of one name on their way into the slab.
type batch struct {
	records []record
	data    []byte // their RDATA, one behind the other
}

type record struct {
	group     uint16 // the type, or of an RRSIG the type it covers
	signature bool
	change    changeKind
	ttl       uint32
	start     uint32 // of its RDATA in data
	size      uint16
}

// maxTypes is how many sets the count in front of them can say.
const maxTypes = 1<<16 - 1

func (b *batch) reset() { b.records, b.data = b.records[:0], b.data[:0] }

func (b *batch) add(t uint16, ttl uint32, rdata []byte) {
	r := record{group: t, ttl: ttl, start: uint32(len(b.data)), size: uint16(len(rdata))}
	if t == wire.TypeRRSIG {
		r.group, r.signature = binary.BigEndian.Uint16(rdata), true
	}
	b.records = append(b.records, r)
	b.data = append(b.data, rdata...)
}

func (b *batch) rdata(r record) []byte { return b.data[r.start : r.start+uint32(r.size)] }

// addSet takes the records of a set that is in the slab already.
func (b *batch) addSet(set RRset) {
	for rdata := range set.Records() {
		b.add(set.Type, set.TTL, rdata)
	}
	for ttl, rdata := range set.Sigs() {
		b.add(wire.TypeRRSIG, ttl, rdata)
	}
}

func (b *batch) compare(x, y record) int {
	if x.group != y.group {
		return cmp.Compare(x.group, y.group)
	}
	if x.signature != y.signature {
		if y.signature {
			return -1
		}
		return 1
	}
	t := x.group
	if x.signature {
		t = wire.TypeRRSIG
	}
	return wire.CompareRdata(t, b.rdata(x), b.rdata(y))
}

// tidy orders the records by type, records before signatures, and drops
// duplicates; of those the lowest TTL stays.
func (b *batch) tidy() {
	if b.isTidy() {
		return // as most primaries send them
	}
	slices.SortStableFunc(b.records, b.compare)
	kept := b.records[:1]
	for _, r := range b.records[1:] {
		last := &kept[len(kept)-1]
		if b.compare(*last, r) == 0 {
			last.ttl = min(last.ttl, r.ttl)
			continue
		}
		kept = append(kept, r)
	}
	b.records = kept
}

func (b *batch) isTidy() bool {
	for i := 1; i < len(b.records); i++ {
		if b.compare(b.records[i-1], b.records[i]) >= 0 {
			return false
		}
	}
	return true
}

// pack lays the RDATA of the records out anew, without that of those that were
// dropped.
func (b *batch) pack() {
	data := make([]byte, 0, len(b.data))
	for i, r := range b.records {
		b.records[i].start = uint32(len(data))
		data = append(data, b.rdata(r)...)
	}
	b.data = data
}

// measure returns how many types the tidied records have and how many octets
// they take in the slab, unless that is more than the limits allow.
func (b *batch) measure(limits Limits) (types, size int, err error) {
	size = setsHeader
	for group := range b.groups() {
		types++
		size += setHeader
		records := 0
		for _, r := range group {
			size += 2 + int(r.size)
			if r.signature {
				size += 4
			} else {
				records++
			}
		}
		if err := over(records, limits.RRsetRecords, "records in an RRset"); err != nil {
			return 0, 0, err
		}
		if err := over(len(group), 1<<16-1, "records and signatures in an RRset"); err != nil {
			return 0, 0, err
		}
	}
	if err := over(types, cmp.Or(limits.Types, maxTypes), "types at a name"); err != nil {
		return 0, 0, err
	}
	return types, size, over(size, limits.Octets, "octets of memory")
}

// write puts the tidied records into the slab in the form rrset.go describes
// and returns the reference.
func (b *batch) write(s *slab, limits Limits) (uint32, error) {
	types, size, err := b.measure(limits)
	if err != nil {
		return 0, err
	}
	ref, space, err := s.alloc(size)
	if err != nil {
		return 0, err
	}
	out := binary.BigEndian.AppendUint16(space[:0], uint16(types))
	for group := range b.groups() {
		out = b.appendSet(out, group)
	}
	return ref, nil
}

// owned returns what follows from the tidied records, if they are all of a node.
func (b *batch) owned(apex bool) (own owned) {
	for group := range b.groups() {
		records := 0
		for _, r := range group {
			if !r.signature {
				records++
			}
		}
		own.add(group[0].group, records, len(group)-records, apex)
	}
	return own
}

// groups yields the records of each set together.
func (b *batch) groups() iter.Seq[[]record] {
	return runs(b.records, func(x, y record) bool { return x.group == y.group })
}

// runs yields the stretches of s whose elements are alike.
func runs[T any](s []T, alike func(x, y T) bool) iter.Seq[[]T] {
	return func(yield func([]T) bool) {
		for rest := s; len(rest) > 0; {
			n := 1
			for n < len(rest) && alike(rest[0], rest[n]) {
				n++
			}
			if !yield(rest[:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}

func (b *batch) appendSet(out []byte, group []record) []byte {
	ttl, records, sigs := ^uint32(0), 0, 0
	for _, r := range group {
		if r.signature {
			sigs++
			continue
		}
		records++
		ttl = min(ttl, r.ttl)
	}
	if records == 0 {
		ttl = group[0].ttl
	}
	out = binary.BigEndian.AppendUint16(out, group[0].group)
	out = binary.BigEndian.AppendUint16(out, uint16(records))
	out = binary.BigEndian.AppendUint16(out, uint16(sigs))
	out = binary.BigEndian.AppendUint32(out, ttl)
	at := len(out)
	out = binary.BigEndian.AppendUint32(out, 0)
	for _, r := range group {
		if r.signature {
			out = binary.BigEndian.AppendUint32(out, r.ttl)
		}
		out = binary.BigEndian.AppendUint16(out, r.size)
		out = append(out, b.rdata(r)...)
	}
	binary.BigEndian.PutUint32(out[at:], uint32(len(out)-at-4))
	return out
}
