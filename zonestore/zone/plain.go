package zone

import "secondaryd/internal/wire"

// PlainRecords counts the records that are not there for DNSSEC: how much a zone
// holds, whether or not it is signed. A Builder has counted them, a Delta goes on
// from the count of the version before; of a version that was on disk they are
// counted when that is asked for first.
func (z *Zone) PlainRecords() int {
	if n := z.plain.Load(); n > 0 { // no zone is without a SOA
		return int(n)
	}
	n := 0
	for node := range z.All() {
		n += node.plainRecords()
	}
	z.plain.Store(int64(n))
	return n
}

func (n Node) plainRecords() (count int) {
	for sets := n.cursor(); sets.left > 0; {
		if set := sets.next(); !isForDNSSEC(set.Type) {
			count += set.Len()
		}
	}
	return count
}

func isForDNSSEC(t uint16) bool {
	switch t {
	case wire.TypeDS, wire.TypeRRSIG, wire.TypeNSEC, wire.TypeDNSKEY, wire.TypeNSEC3, wire.TypeNSEC3PARAM, wire.TypeCDS, wire.TypeCDNSKEY:
		return true
	default:
		return false
	}
}
