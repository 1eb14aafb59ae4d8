package zone

import (
	"context"
	"encoding/binary"
	"hash"

	"secondaryd/internal/wire"
)

// A digester feeds the records of a zone to a hash in the form and order that
// the scheme SIMPLE wants (RFC 8976 section 3.3.1).
type digester struct {
	hash  hash.Hash
	owner []byte // the current one in lower case
	buf   []byte // records that the hash has not seen yet
}

const (
	// digestBuffer is how many octets go to the hash at once.
	digestBuffer = 16 << 10
	// digestNodes is how many nodes are taken between two looks at the context.
	digestNodes = 4096
)

// digest gives the whole zone to h: glue and what is occluded too, but neither
// the ZONEMD records at the apex nor their signatures. It fails only if ctx ends.
func (z *Zone) digest(ctx context.Context, h hash.Hash) error {
	d := digester{hash: h, buf: make([]byte, 0, 2*digestBuffer)}
	count := 0
	for n := range z.Ordered() {
		if count++; count%digestNodes == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		d.node(n)
	}
	d.hash.Write(d.buf)
	return nil
}

// node takes the records of one name by ascending type: its signatures, which
// lie with the sets they cover, come between.
func (d *digester) node(n Node) {
	d.owner = wire.AppendFolded(d.owner[:0], n.Name())
	signed := false
	for sets := n.cursor(); sets.left > 0; {
		set := sets.next()
		if set.Type > wire.TypeRRSIG && !signed {
			d.signatures(n)
			signed = true
		}
		if n.IsApex() && set.Type == wire.TypeZONEMD {
			continue
		}
		for rdata := range set.Records() {
			d.record(set.Type, set.TTL, rdata)
		}
	}
	if !signed {
		d.signatures(n)
	}
}

// signatures takes the RRSIG records of a name. The type they cover is what they
// begin with, so they are in order.
func (d *digester) signatures(n Node) {
	for sets := n.cursor(); sets.left > 0; {
		set := sets.next()
		if set.sigs == 0 || n.IsApex() && set.Type == wire.TypeZONEMD {
			continue
		}
		for ttl, rdata := range set.Sigs() {
			d.record(wire.TypeRRSIG, ttl, rdata)
		}
	}
}

// record takes one record of the current owner.
func (d *digester) record(t uint16, ttl uint32, rdata []byte) {
	b := append(d.buf, d.owner...)
	b = binary.BigEndian.AppendUint16(b, t)
	b = binary.BigEndian.AppendUint16(b, wire.ClassIN)
	b = binary.BigEndian.AppendUint32(b, ttl)
	b = binary.BigEndian.AppendUint16(b, uint16(len(rdata)))
	d.buf = wire.AppendCanonical(b, t, rdata)
	if len(d.buf) >= digestBuffer {
		d.hash.Write(d.buf)
		d.buf = d.buf[:0]
	}
}
