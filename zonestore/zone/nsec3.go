package zone

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the one hash that NSEC3 has (RFC 5155 section 11)
	"encoding/base32"
	"encoding/binary"
	"iter"

	"secondaryd/internal/wire"
)

// NSEC3Param says how the names of an NSEC3 chain are hashed (RFC 5155 section 3.1).
type NSEC3Param struct {
	Iterations uint16
	Salt       []byte // in the zone's memory
}

// The only hash algorithm of NSEC3 (RFC 5155 section 11), and its size.
const (
	nsec3SHA1     = 1
	NSEC3HashSize = 20
	// nsec3Label is the size of such a hash in base32.
	nsec3Label = 32
)

// MaxNSEC3Iterations bounds the work for a name (RFC 9276 section 3.2 lets a
// server refuse more than it wants to do). No version with more is served.
const MaxNSEC3Iterations = 500

// NSEC3Hasher is scratch for hashing names: a name or hash, then the salt. The
// zero value is ready; it is not safe for concurrent use.
type NSEC3Hasher [wire.MaxName + 255]byte

// Hash returns the NSEC3 hash of a folded name (RFC 5155 section 5).
func (b *NSEC3Hasher) Hash(name wire.Name, p NSEC3Param) (h [NSEC3HashSize]byte) {
	h = sha1.Sum(append(append(b[:0], name...), p.Salt...))
	for range p.Iterations {
		h = sha1.Sum(append(append(b[:0], h[:]...), p.Salt...))
	}
	return h
}

// base32hex without padding is the form of hashes in owner names; it keeps
// their order (RFC 4648 section 7).
var base32hex = base32.HexEncoding.WithPadding(base32.NoPadding)

// NSEC3 returns how the zone's NSEC3 chain is hashed; false if it has none.
func (z *Zone) NSEC3() (NSEC3Param, bool) { return z.nsec3Param, z.hashed }

// NSEC3Nodes yields the owners of the zone's NSEC3 chain in the order of their
// hashes.
func (z *Zone) NSEC3Nodes() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for _, page := range z.nsec3.pages {
			for _, i := range page.nodes {
				if !yield(Node{z, i}) {
					return
				}
			}
		}
	}
}

// readNSEC3Param takes the parameters of the chain that is complete: those of an
// NSEC3PARAM with flags 0 (RFC 5155 section 4.1.2), the first if there are several.
func (z *Zone) readNSEC3Param() (NSEC3Param, bool) {
	set, ok := z.Top().Set(wire.TypeNSEC3PARAM)
	if !ok {
		return NSEC3Param{}, false
	}
	for rdata := range set.Records() {
		if p, ok := parseNSEC3(rdata); ok && rdata[1] == 0 {
			return p, true
		}
	}
	return NSEC3Param{}, false
}

func (p NSEC3Param) equal(o NSEC3Param) bool {
	return p.Iterations == o.Iterations && bytes.Equal(p.Salt, o.Salt)
}

// parseNSEC3 reads what NSEC3 and NSEC3PARAM begin with.
func parseNSEC3(rdata []byte) (NSEC3Param, bool) {
	if len(rdata) < 5 || rdata[0] != nsec3SHA1 || len(rdata) < 5+int(rdata[4]) {
		return NSEC3Param{}, false
	}
	return NSEC3Param{Iterations: binary.BigEndian.Uint16(rdata[2:]), Salt: rdata[5 : 5+int(rdata[4])]}, true
}

// inChain reports whether n with its NSEC3 RRset belongs to the zone's chain.
func (z *Zone) inChain(n Node, set RRset) bool {
	name := n.Name()
	if len(name) != 1+nsec3Label+len(z.apex) || name[0] != nsec3Label {
		return false
	}
	for rdata := range set.Records() {
		p, ok := parseNSEC3(rdata)
		if ok && p.equal(z.nsec3Param) {
			return true
		}
	}
	return false
}

// NSEC3Before returns the node of the chain whose hash is the last at or before
// hash: it matches the hash, or covers it. Before the first comes the last (RFC
// 5155 section 7.1). The zone must have NSEC3; ok is false when its chain is empty.
func (z *Zone) NSEC3Before(hash *[NSEC3HashSize]byte) (n Node, matches, ok bool) {
	if len(z.nsec3.pages) == 0 {
		return Node{}, false, false
	}
	var name [1 + nsec3Label + wire.MaxName]byte
	name[0] = nsec3Label
	base32hex.Encode(name[1:], hash[:])
	label := wire.AppendFolded(name[:1], name[1:1+nsec3Label])
	full := wire.Name(wire.AppendFolded(label, z.apex))
	i, found := z.before(&z.nsec3, full)
	if !found {
		i = z.nsec3.last()
	}
	n = Node{z, i}
	return n, n.Name().Equal(full), true
}
