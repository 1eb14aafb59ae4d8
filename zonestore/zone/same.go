package zone

import (
	"bytes"

	"secondaryd/internal/wire"
)

// SameAs reports whether both versions hold the same records, with the same TTLs.
// The case of their names does not count.
func (z *Zone) SameAs(o *Zone) bool {
	if z.records != o.records || z.Names() != o.Names() {
		return false
	}
	for n := range z.All() {
		name := n.Name().Fold()
		i, ok := o.lookup(wire.HashName(name, o.seed), name)
		if !ok || !bytes.Equal(n.octets(), Node{o, i}.octets()) {
			return false
		}
	}
	return true
}
