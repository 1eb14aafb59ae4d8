package interop

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/miekg/dns"
)

// record is a resource record as it lies in a message, with the names in its
// RDATA expanded and all else untouched. The library's own types are not used
// because they may write back other octets than they have read.
type record struct {
	owner string // lower case
	rtype uint16
	class uint16
	ttl   uint32
	rdata string
}

func (r record) String() string {
	return fmt.Sprintf("%s %d %s %x", r.owner, r.ttl, typeName(r.rtype), r.rdata)
}

// rrset is what a question asks for.
type rrset struct {
	owner string
	rtype uint16
}

func typeName(t uint16) string { return dns.Type(t).String() }

// message is an answer as it came.
type message struct {
	id         uint16
	rcode      int
	aa, tc     bool
	answer     []record
	authority  []record
	additional []record
}

var errShort = errors.New("message ends too early")

// parse reads a whole message and refuses octets behind it.
func parse(msg []byte) (*message, error) {
	if len(msg) < 12 {
		return nil, errShort
	}
	count := func(i int) int { return int(binary.BigEndian.Uint16(msg[4+2*i:])) }
	m := &message{
		id:    binary.BigEndian.Uint16(msg),
		rcode: int(msg[3] & 15),
		aa:    msg[2]&4 != 0,
		tc:    msg[2]&2 != 0,
	}
	off := 12
	for range count(0) {
		_, next, err := dns.UnpackDomainName(msg, off)
		if err != nil {
			return nil, err
		}
		off = next + 4
	}
	for i, section := range []*[]record{&m.answer, &m.authority, &m.additional} {
		for range count(i + 1) {
			r, next, err := parseRecord(msg, off)
			if err != nil {
				return nil, err
			}
			*section, off = append(*section, r), next
		}
	}
	if off != len(msg) {
		return nil, fmt.Errorf("%d octets behind the message", len(msg)-off)
	}
	return m, nil
}

func parseRecord(msg []byte, off int) (record, int, error) {
	owner, off, err := dns.UnpackDomainName(msg, off)
	if err != nil {
		return record{}, 0, err
	}
	if off+10 > len(msg) {
		return record{}, 0, errShort
	}
	r := record{
		owner: dns.CanonicalName(owner),
		rtype: binary.BigEndian.Uint16(msg[off:]),
		class: binary.BigEndian.Uint16(msg[off+2:]),
		ttl:   binary.BigEndian.Uint32(msg[off+4:]),
	}
	start := off + 10
	end := start + int(binary.BigEndian.Uint16(msg[off+8:]))
	if end > len(msg) {
		return record{}, 0, errShort
	}
	rdata, err := expand(r.rtype, msg, start, end)
	r.rdata = string(rdata)
	return r, end, err
}

// Fields of RDATA that has names which may be compressed (RFC 1035, and RFC 3597
// section 4 for those of which a receiver must expect it).
const (
	name = -1 - iota
	text
)

var layouts = map[uint16][]int{
	dns.TypeNS: {name}, dns.TypeMD: {name}, dns.TypeMF: {name}, dns.TypeCNAME: {name},
	dns.TypeMB: {name}, dns.TypeMG: {name}, dns.TypeMR: {name}, dns.TypePTR: {name},
	dns.TypeDNAME: {name}, dns.TypeSOA: {name, name, 20}, dns.TypeMINFO: {name, name},
	dns.TypeRP: {name, name}, dns.TypeMX: {2, name}, dns.TypeAFSDB: {2, name},
	dns.TypeRT: {2, name}, dns.TypeKX: {2, name}, dns.TypePX: {2, name, name},
	dns.TypeSRV: {6, name}, dns.TypeNAPTR: {4, text, text, text, name},
}

// expand copies RDATA with its names uncompressed, letters as they are.
func expand(rtype uint16, msg []byte, off, end int) ([]byte, error) {
	layout, ok := layouts[rtype]
	if !ok {
		return msg[off:end], nil
	}
	var out []byte
	for _, field := range layout {
		if off >= end {
			return nil, errShort
		}
		switch field {
		case name:
			n, next, err := dns.UnpackDomainName(msg, off)
			if err != nil {
				return nil, err
			}
			buf := make([]byte, 256)
			size, err := dns.PackDomainName(n, buf, 0, nil, false)
			if err != nil {
				return nil, err
			}
			out, off = append(out, buf[:size]...), next
			continue
		case text:
			field = 1 + int(msg[off])
		}
		if off+field > end {
			return nil, errShort
		}
		out, off = append(out, msg[off:off+field]...), off+field
	}
	if off != end {
		return nil, fmt.Errorf("RDATA of %s has %d octets too many", typeName(rtype), end-off)
	}
	return out, nil
}
