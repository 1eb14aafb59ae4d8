package zone

import "secondaryd/internal/wire"

// HasNSEC reports whether the zone proves what does not exist with NSEC records.
func (z *Zone) HasNSEC() bool { return len(z.nsec.pages) > 0 }

// NSECBefore returns the last name at or before name in canonical order that
// owns an NSEC record: it matches the name, or covers it (RFC 4034 section 4).
// Before the first of them comes the last. The name must be folded and in the
// zone, which must have NSEC.
func (z *Zone) NSECBefore(name wire.Name) Node {
	i, ok := z.before(&z.nsec, name)
	if !ok {
		i = z.nsec.last()
	}
	return Node{z, i}
}
