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
	sets    []run  // that the records are of, once they are measured
}

type record struct {
	group     uint16 // the type, or of an RRSIG the type it covers
	signature bool
	change    changeKind
	ttl       uint32
	start     uint32 // of its RDATA in data
	size      uint16
}

// A run is the tidied records of one RRset and behind them its signatures.
type run struct {
	first               int // place of the first of them
	records, signatures int
	octets              int // that the set takes in the slab
	ttl                 uint32
}

// maxTypes is how many sets the count in front of them can say.
const maxTypes = 1<<16 - 1

func (b *batch) reset() { b.records, b.data = b.records[:0], b.data[:0] }

func (b *batch) add(t uint16, ttl uint32, rdata []byte) {
	b.records = append(b.records, record{group: t, ttl: ttl, start: uint32(len(b.data)), size: uint16(len(rdata))})
	if t == wire.TypeRRSIG {
		r := &b.records[len(b.records)-1]
		r.group, r.signature = binary.BigEndian.Uint16(rdata), true
	}
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

// measure finds the sets that the tidied records are of and returns how many octets
// those take in the slab, unless that is more than the limits allow.
func (b *batch) measure(limits Limits) (size int, err error) {
	b.divide()
	size = setsHeader
	for i := range b.sets {
		set := &b.sets[i]
		size += set.octets
		if err := over(set.records, limits.RRsetRecords, LimitRRset); err != nil {
			return 0, err
		}
		if err := over(set.records+set.signatures, 1<<16-1, "records and signatures in an RRset"); err != nil {
			return 0, err
		}
	}
	if err := over(len(b.sets), cmp.Or(limits.Types, maxTypes), LimitTypes); err != nil {
		return 0, err
	}
	return size, over(size, limits.Octets, LimitMemory)
}

func (b *batch) divide() {
	b.sets = b.sets[:0]
	for i := range b.records {
		r := &b.records[i]
		if i == 0 || r.group != b.records[i-1].group {
			b.sets = append(b.sets, run{first: i, octets: setHeader, ttl: r.ttl})
		}
		set := &b.sets[len(b.sets)-1]
		set.octets += 2 + int(r.size)
		if r.signature {
			set.signatures++
			set.octets += 4
			continue
		}
		set.records++
		set.ttl = min(set.ttl, r.ttl)
	}
}

// write puts the tidied records into the slab in the form rrset.go describes
// and returns the reference.
func (b *batch) write(s *slab, limits Limits) (uint32, error) {
	size, err := b.measure(limits)
	if err != nil {
		return 0, err
	}
	ref, space, err := s.alloc(size)
	if err != nil {
		return 0, err
	}
	out := binary.BigEndian.AppendUint16(space[:0], uint16(len(b.sets)))
	for i := range b.sets {
		out = b.appendSet(out, &b.sets[i])
	}
	return ref, nil
}

// owned returns what follows from the measured records, if they are all of a node.
func (b *batch) owned(apex bool) (own owned) {
	for i := range b.sets {
		set := &b.sets[i]
		own.add(b.records[set.first].group, set.records, set.signatures, apex)
	}
	return own
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

func (b *batch) appendSet(out []byte, set *run) []byte {
	records := b.records[set.first:][:set.records+set.signatures]
	out = binary.BigEndian.AppendUint16(out, records[0].group)
	out = binary.BigEndian.AppendUint16(out, uint16(set.records))
	out = binary.BigEndian.AppendUint16(out, uint16(set.signatures))
	out = binary.BigEndian.AppendUint32(out, set.ttl)
	out = binary.BigEndian.AppendUint32(out, uint32(set.octets-setHeader))
	for i := range records {
		r := &records[i]
		if r.signature {
			out = binary.BigEndian.AppendUint32(out, r.ttl)
		}
		out = binary.BigEndian.AppendUint16(out, r.size)
		out = append(out, b.rdata(*r)...)
	}
	return out
}
