package dnssec

import (
	"fmt"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// appendTypes appends the types that a bitmap lists to dst, ascending (RFC 4034
// section 4.1.2); false if it is malformed.
func appendTypes(dst []uint16, bitmap []byte) ([]uint16, bool) {
	for last := -1; len(bitmap) > 0; {
		if len(bitmap) < 2 {
			return dst, false
		}
		window, size := int(bitmap[0]), int(bitmap[1])
		if window <= last || size == 0 || size > 32 || len(bitmap) < 2+size {
			return dst, false
		}
		for i, octet := range bitmap[2 : 2+size] {
			for bit := range 8 {
				if octet&(0x80>>bit) != 0 {
					dst = append(dst, uint16(window<<8|i<<3|bit))
				}
			}
		}
		last, bitmap = window, bitmap[2+size:]
	}
	return dst, true
}

// appendOwned appends the types that the zone has authority for at a name to dst,
// ascending (RFC 4035 section 2.3): all of them, but at a delegation those of the
// parent's side.
func appendOwned(dst []uint16, n zone.Node) []uint16 {
	start, signed := len(dst), false
	for set := range n.Sets() {
		if n.IsCut() && !isParental(set.Type) {
			continue
		}
		signed = signed || set.Signatures() > 0 && !(n.IsCut() && set.Type == wire.TypeNS)
		if set.Len() > 0 {
			dst = append(dst, set.Type)
		}
	}
	if !signed {
		return dst
	}
	dst = append(dst, 0)
	i := len(dst) - 1
	for ; i > start && dst[i-1] > wire.TypeRRSIG; i-- {
		dst[i] = dst[i-1]
	}
	dst[i] = wire.TypeRRSIG
	return dst
}

// isParental reports whether the records of type t at a delegation are listed by
// the zone it is made in.
func isParental(t uint16) bool {
	return t == wire.TypeNS || t == wire.TypeDS || t == wire.TypeNSEC
}

// misses says how the types listed differ from those owned, both ascending; empty
// if they don't.
func misses(listed, owned []uint16) string {
	for len(listed) > 0 || len(owned) > 0 {
		switch {
		case len(owned) == 0 || len(listed) > 0 && listed[0] < owned[0]:
			return fmt.Sprintf("it lists %s, which the name does not own", dns.Type(listed[0]))
		case len(listed) == 0 || owned[0] < listed[0]:
			return fmt.Sprintf("it does not list %s, which the name owns", dns.Type(owned[0]))
		}
		listed, owned = listed[1:], owned[1:]
	}
	return ""
}

// checkTypes wants the bitmap of an NSEC or NSEC3 record to list what the name
// owns.
func (w *worker) checkTypes(n zone.Node, t uint16, owner wire.Name, bitmap []byte) {
	var ok bool
	w.owned = appendOwned(w.owned[:0], n)
	w.listed, ok = appendTypes(w.listed[:0], bitmap)
	if !ok {
		w.problem(owner, t, "its list of types is malformed")
		return
	}
	if what := misses(w.listed, w.owned); what != "" {
		w.problem(owner, t, "%s", what)
	}
}
