package registry

import "net/netip"

// Source is what an address is to a zone that it sends a NOTIFY for.
type Source int

// The sources, from the one that is trusted least.
const (
	SourceStranger  Source = iota
	SourceACL              // in the range of an ACL of the zone's account
	SourceKeyedPeer        // that of peers which all have a key
	SourcePeer             // that of a peer without a key
)

// Source tells what addr is to the zone of an id. A peer has an address and a
// port, but sends from any port: the address decides. The cost is bounded by the
// zone's own peers, however many ACLs there are, and nothing is allocated.
func (r *Registry) Source(zoneID string, addr netip.Addr) Source {
	addr = addr.Unmap()
	r.mu.RLock()
	defer r.mu.RUnlock()
	zone, ok := r.state.zones[zoneID]
	if !ok {
		return SourceStranger
	}
	if source := r.state.peerSource(zone, addr); source != SourceStranger {
		return source
	}
	if r.state.accounts[accountKey{KindACL, zone.Account}] != nil && r.state.ranges.contain(zone.Account, addr) {
		return SourceACL
	}
	return SourceStranger
}

// peerSource tells what addr is to the peers of a zone.
func (s *state) peerSource(zone *Zone, addr netip.Addr) Source {
	source := SourceStranger
	for _, id := range zone.Peers {
		peer, ok := s.objects[key{KindPeer, id}].(*Peer)
		if !ok {
			continue
		}
		if own, ok := peer.AddrPort(); !ok || own.Addr() != addr {
			continue
		}
		if peer.TSIG == nil {
			return SourcePeer
		}
		source = SourceKeyedPeer
	}
	return source
}
