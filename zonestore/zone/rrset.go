package zone

import (
	"encoding/binary"
	"iter"
)

// The RRsets of a node lie in the slab one behind the other, by ascending type:
//
//	u16 number of sets
//	per set: u16 type, u16 records, u16 signatures, u32 TTL, u32 octets of what follows
//	         per record:    u16 size, RDATA
//	         per signature: u32 TTL, u16 size, RDATA of the RRSIG
//
// RDATA is uncompressed and otherwise as it came.
const (
	setsHeader = 2
	setHeader  = 14
)

// RRset is a whole RRset with the RRSIG records that cover it. It shares the
// zone's memory: callers must not change what it returns.
type RRset struct {
	Type  uint16
	TTL   uint32 // seconds; the lowest of its records (RFC 2181 section 5.2)
	count uint16
	sigs  uint16
	data  []byte
}

// Len returns the number of records, signatures not counted.
func (s RRset) Len() int { return int(s.count) }

// Signatures returns the number of RRSIG records that cover the set.
func (s RRset) Signatures() int { return int(s.sigs) }

// Record returns the RDATA at position pos, and the position behind it. The
// first record is at position 0; there are Len of them. It is the loop body of
// the query path, where an iterator would cost more than the work.
func (s RRset) Record(pos int) (rdata []byte, next int) {
	size := int(binary.BigEndian.Uint16(s.data[pos:]))
	return s.data[pos+2 : pos+2+size], pos + 2 + size
}

// Records yields the RDATA of each record.
func (s RRset) Records() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		pos := 0
		for range s.count {
			rdata, next := s.Record(pos)
			if !yield(rdata) {
				return
			}
			pos = next
		}
	}
}

// Sigs yields the TTL and the RDATA of each RRSIG that covers the set.
func (s RRset) Sigs() iter.Seq2[uint32, []byte] {
	return func(yield func(uint32, []byte) bool) {
		pos := 0
		for range s.count {
			_, pos = s.Record(pos)
		}
		for range s.sigs {
			ttl := binary.BigEndian.Uint32(s.data[pos:])
			rdata, next := s.Record(pos + 4)
			if !yield(ttl, rdata) {
				return
			}
			pos = next
		}
	}
}

// setCursor walks the RRsets of one node.
type setCursor struct {
	data []byte
	left int
}

func (n Node) cursor() setCursor {
	ref := n.data().sets
	if ref == 0 {
		return setCursor{}
	}
	b := n.zone.slab.at(ref)
	return setCursor{data: b[setsHeader:], left: int(binary.BigEndian.Uint16(b))}
}

func (c *setCursor) next() RRset {
	set := c.set()
	c.skip()
	return set
}

// kind is the type of the set that comes next.
func (c *setCursor) kind() uint16 { return binary.BigEndian.Uint16(c.data) }

// set is the set that comes next.
func (c *setCursor) set() RRset {
	b := c.data
	return RRset{
		Type:  binary.BigEndian.Uint16(b),
		count: binary.BigEndian.Uint16(b[2:]),
		sigs:  binary.BigEndian.Uint16(b[4:]),
		TTL:   binary.BigEndian.Uint32(b[6:]),
		data:  b[setHeader:][:binary.BigEndian.Uint32(b[10:])],
	}
}

// skip goes on behind the set that comes next.
func (c *setCursor) skip() {
	c.data = c.data[setHeader+int(binary.BigEndian.Uint32(c.data[10:])):]
	c.left--
}
