package dnssec

import (
	"bytes"
	"crypto"
	"encoding/binary"
	"fmt"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// Anchor is a DS or DNSKEY record by which a key of a zone is trusted.
type Anchor struct {
	Type  uint16
	Rdata []byte
}

// ParseAnchor reads a DS or DNSKEY record in presentation form, and returns the
// zone that it is for.
func ParseAnchor(text string) (wire.Name, Anchor, error) {
	rr, err := dns.NewRR(text)
	switch {
	case err != nil:
		return nil, Anchor{}, fmt.Errorf("trust anchor: %w", err)
	case rr == nil:
		return nil, Anchor{}, fmt.Errorf("trust anchor %q is no record", text)
	}
	h := rr.Header()
	if h.Rrtype != wire.TypeDS && h.Rrtype != wire.TypeDNSKEY || h.Class != wire.ClassIN {
		return nil, Anchor{}, fmt.Errorf("trust anchor for %s is of type %s, not DS or DNSKEY", h.Name, dns.Type(h.Rrtype))
	}
	apex, err := wire.ParseName(h.Name)
	if err != nil {
		return nil, Anchor{}, fmt.Errorf("trust anchor: %w", err)
	}
	msg := make([]byte, dns.Len(rr)+1)
	end, err := dns.PackRR(rr, msg, 0, nil, false)
	if err != nil {
		return nil, Anchor{}, fmt.Errorf("trust anchor for %s: %w", h.Name, err)
	}
	rdata := msg[len(apex)+10 : end]
	if len(rdata) <= keyHead {
		return nil, Anchor{}, fmt.Errorf("trust anchor for %s is empty", h.Name)
	}
	return apex, Anchor{h.Rrtype, rdata}, nil
}

// digests has the hash of each digest type of DS records that is known here.
var digests = map[uint8]crypto.Hash{1: crypto.SHA1, 2: crypto.SHA256, 4: crypto.SHA384}

// digestSHA1 does not count beside better ones (RFC 4509 section 3).
const digestSHA1 = 1

// isUsable reports whether the anchor is of kinds that are known here.
func (a Anchor) isUsable() bool {
	if len(a.Rdata) <= keyHead {
		return false
	}
	if a.Type == wire.TypeDS {
		_, ok := digests[a.Rdata[3]]
		return ok && isKnown(a.Rdata[2])
	}
	return isKnown(a.Rdata[3])
}

// names reports whether the anchor means a key of the zone called apex.
func (a Anchor) names(apex wire.Name, k key) bool {
	if a.Type != wire.TypeDS {
		return bytes.Equal(a.Rdata, k.rdata)
	}
	if binary.BigEndian.Uint16(a.Rdata) != tagOf(k.rdata) || a.Rdata[2] != k.algorithm {
		return false
	}
	h := digests[a.Rdata[3]].New()
	h.Write(apex.Fold())
	h.Write(k.rdata)
	return bytes.Equal(h.Sum(nil), a.Rdata[keyHead:])
}

// usable returns the anchors that count.
func usable(anchors []Anchor) []Anchor {
	var kept, weak []Anchor
	for _, a := range anchors {
		switch {
		case !a.isUsable():
		case a.Type == wire.TypeDS && a.Rdata[3] == digestSHA1:
			weak = append(weak, a)
		default:
			kept = append(kept, a)
		}
	}
	if len(kept) == 0 {
		return weak
	}
	return kept
}

// trust returns the keys of the zone if they may be trusted; else what that makes
// of the zone, and notes why if it has no excuse.
func (v *validation) trust(anchors []Anchor) (keyring, State) {
	apex := v.zone.Apex()
	trusted := usable(anchors)
	set, signed := v.zone.Top().Set(wire.TypeDNSKEY)
	switch {
	case len(anchors) > 0 && len(trusted) == 0:
		return nil, Unsupported
	case !signed && len(anchors) == 0:
		return nil, Unsigned
	case !signed:
		v.problem(apex, wire.TypeDNSKEY, "the zone has a trust anchor but no DNSKEY record")
		return nil, Bogus
	}
	all, first := parseKeys(apex, set, trusted)
	switch {
	case len(all) == 0 && len(trusted) == 0:
		return nil, Unsupported
	case len(first) == 0:
		v.problem(apex, wire.TypeDNSKEY, "no key of the zone is one of its trust anchors")
		return nil, Bogus
	}
	w := worker{validation: v}
	if !w.verify(v.zone.Top(), set, first) {
		return nil, Bogus
	}
	return all, Secure
}

// parseKeys returns all keys of a DNSKEY RRset, and those that anchors name: all
// if there are none.
func parseKeys(apex wire.Name, set zone.RRset, anchors []Anchor) (all, named keyring) {
	all, named = keyring{}, keyring{}
	for rdata := range set.Records() {
		k, ok := parseKey(rdata)
		if !ok {
			continue
		}
		all.add(k)
		for _, a := range anchors {
			if a.names(apex, k) {
				named.add(k)
				break
			}
		}
	}
	if len(anchors) == 0 {
		return all, all
	}
	return all, named
}
