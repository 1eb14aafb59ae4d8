package dnssec

import (
	"bytes"
	"encoding/base32"
	"encoding/binary"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// nsec3 is an NSEC3 record (RFC 5155 section 3.2).
type nsec3 struct {
	flags        uint8
	next, bitmap []byte
}

// optOut is the only flag; records with others are ignored (RFC 5155 section 8.2).
const optOut = 1

// parseNSEC3 reads a record if it belongs to the chain with these parameters.
func parseNSEC3(rdata []byte, p zone.NSEC3Param) (r nsec3, ok bool) {
	if len(rdata) < 5 || rdata[0] != 1 || binary.BigEndian.Uint16(rdata[2:]) != p.Iterations {
		return nsec3{}, false
	}
	salt, rest := rdata[5:], rdata[4:]
	if len(salt) < int(rest[0]) || !bytes.Equal(salt[:rest[0]], p.Salt) {
		return nsec3{}, false
	}
	rest = salt[rest[0]:]
	if len(rest) < 1 || len(rest)-1 < int(rest[0]) {
		return nsec3{}, false
	}
	return nsec3{flags: rdata[1], next: rest[1 : 1+rest[0]], bitmap: rest[1+rest[0]:]}, true
}

// nsec3At returns the record of the chain at one of its owners; false if there is
// not exactly one that is well-formed.
func nsec3At(n zone.Node, p zone.NSEC3Param) (found nsec3, ok bool) {
	set, _ := n.Set(wire.TypeNSEC3)
	for rdata := range set.Records() {
		r, belongs := parseNSEC3(rdata, p)
		if belongs && ok {
			return nsec3{}, false
		}
		if belongs {
			found, ok = r, true
		}
	}
	return found, ok
}

var base32hex = base32.HexEncoding.WithPadding(base32.NoPadding)

// checkRing wants each record of the NSEC3 chain to lead to the next hash, and the
// last to the first.
func (v *validation) checkRing(p zone.NSEC3Param) {
	var first, last zone.Node
	var next []byte // the label where the record of last leads
	reach := func(n zone.Node) {
		if next != nil && !bytes.EqualFold(next, n.Name()[1:1+int(n.Name()[0])]) {
			v.problem(last.Name(), wire.TypeNSEC3, "it leads to %s, not to the next hash", next)
		}
	}
	began := false
	for n := range v.zone.NSEC3Nodes() {
		if v.ended.Load() {
			return
		}
		if !began {
			first, began = n, true
		}
		reach(n)
		r, ok := nsec3At(n, p)
		switch {
		case !ok:
			v.problem(n.Name(), wire.TypeNSEC3, "the name does not have one NSEC3 record of the chain")
			next = nil
			continue
		case r.flags&^optOut != 0:
			v.problem(n.Name(), wire.TypeNSEC3, "it has unknown flags")
		}
		last, next = n, base32hex.AppendEncode(nil, r.next)
	}
	if !began {
		v.problem(v.zone.Apex(), wire.TypeNSEC3, "the zone has an NSEC3PARAM record but none of its NSEC3 records")
		return
	}
	reach(first)
}

// want says whether a name must have an NSEC3 record.
type want uint8

const (
	wantNone   want = iota // it has none to have
	wantOptOut             // only if no span with opt-out covers it (RFC 5155 section 7.1)
	wantRecord
)

// checkHash looks for the NSEC3 record of a name.
func (w *worker) checkHash(n zone.Node, want want, p zone.NSEC3Param) {
	w.owner = wire.AppendFolded(w.owner[:0], n.Name())
	h := w.hashed.Hash(wire.Name(w.owner), p)
	owner, matches, ok := w.zone.NSEC3Before(&h)
	if !ok {
		return // checkRing tells it
	}
	r, ok := nsec3At(owner, p)
	switch {
	case !ok: // checkRing tells it
	case matches:
		w.matching++
		w.checkTypes(n, wire.TypeNSEC3, n.Name(), r.bitmap)
	case want == wantRecord:
		w.problem(n.Name(), wire.TypeNSEC3, "the name has no NSEC3 record")
	case r.flags&optOut == 0:
		w.problem(n.Name(), wire.TypeNSEC3, "the name has no NSEC3 record, and what covers its hash has no opt-out")
	}
}
