package conformance

import (
	"bytes"
	"fmt"

	"github.com/miekg/dns"
)

// Fields of RDATA that hold names which may come compressed (RFC 1035, and RFC
// 3597 section 4 for those of which a receiver must expect it) or whose letters
// a server may change. Positive numbers are octets.
const (
	name = -1 - iota
	text
	rest
)

var layouts = map[uint16][]int{
	dns.TypeNS: {name}, dns.TypeMD: {name}, dns.TypeMF: {name}, dns.TypeCNAME: {name},
	dns.TypeMB: {name}, dns.TypeMG: {name}, dns.TypeMR: {name}, dns.TypePTR: {name},
	dns.TypeDNAME: {name}, dns.TypeSOA: {name, name, 20}, dns.TypeMINFO: {name, name},
	dns.TypeRP: {name, name}, dns.TypeMX: {2, name}, dns.TypeAFSDB: {2, name},
	dns.TypeRT: {2, name}, dns.TypeKX: {2, name}, dns.TypePX: {2, name, name},
	dns.TypeSRV: {6, name}, dns.TypeNAPTR: {4, text, text, text, name},
	dns.TypeRRSIG: {18, name, rest}, dns.TypeNSEC: {name, rest}, dns.TypeLP: {2, name},
	dns.TypeSVCB: {2, name, rest}, dns.TypeHTTPS: {2, name, rest},
}

// expand copies RDATA with its names uncompressed, letters as they are.
func expand(rtype uint16, msg []byte, off, end int) ([]byte, error) {
	return walk(rtype, msg, off, end, func(wire []byte) []byte { return wire })
}

// folded is the RDATA with its names in lower case, for comparisons.
func (r record) folded() []byte {
	out, err := walk(r.rtype, []byte(r.rdata), 0, len(r.rdata), fold)
	if err != nil {
		return []byte(r.rdata)
	}
	return out
}

// walk copies RDATA and hands each name in it to change.
func walk(rtype uint16, msg []byte, off, end int, change func([]byte) []byte) ([]byte, error) {
	layout, ok := layouts[rtype]
	if !ok || off == end {
		return bytes.Clone(msg[off:end]), nil
	}
	var out []byte
	for _, field := range layout {
		if off >= end && field != rest {
			return nil, errShort
		}
		switch field {
		case name:
			n, next, err := dns.UnpackDomainName(msg[:end], off)
			if err != nil {
				return nil, err
			}
			out, off = append(out, change(pack(n))...), next
			continue
		case text:
			field = 1 + int(msg[off])
		case rest:
			field = end - off
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
