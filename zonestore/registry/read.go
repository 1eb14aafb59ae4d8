package registry

import (
	"maps"
	"slices"
	"strings"
)

// Revision is that of the last transaction. A listing made after it, followed
// by Watch from it, misses nothing.
func (r *Registry) Revision() uint64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state.revision
}

// Zone returns the zone of an id.
func (r *Registry) Zone(id string) (Zone, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	zone, ok := r.state.zones[id]
	if !ok {
		return Zone{}, false
	}
	return zone.clone(), true
}

// Zones lists all zones, ordered by id.
func (r *Registry) Zones() []Zone {
	r.mu.RLock()
	zones := slices.AppendSeq(make([]*Zone, 0, len(r.state.zones)), maps.Values(r.state.zones))
	r.mu.RUnlock()
	// Stored objects never change: they can be sorted and copied unlocked.
	slices.SortFunc(zones, func(a, b *Zone) int { return strings.Compare(a.ID, b.ID) })
	list := make([]Zone, len(zones))
	for i, zone := range zones {
		list[i] = zone.clone()
	}
	return list
}

// ZoneByName returns the zone whose Apex is the given key.
func (r *Registry) ZoneByName(apex string) (Zone, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	zone, ok := r.state.zones[r.state.names[apex]]
	if !ok {
		return Zone{}, false
	}
	return zone.clone(), true
}

// Peer returns the peer of an id.
func (r *Registry) Peer(id string) (Peer, bool) { return readOne[*Peer, Peer](r, KindPeer, id) }

// Peers lists the peers of an account, ordered by id.
func (r *Registry) Peers(account string) []Peer {
	return readAccount[*Peer, Peer](r, KindPeer, account)
}

// TSIG returns the key of an id.
func (r *Registry) TSIG(id string) (TSIG, bool) { return readOne[*TSIG, TSIG](r, KindTSIG, id) }

// TSIGs lists the keys of an account, ordered by id.
func (r *Registry) TSIGs(account string) []TSIG {
	return readAccount[*TSIG, TSIG](r, KindTSIG, account)
}

// ACL returns the ACL of an id.
func (r *Registry) ACL(id string) (ACL, bool) { return readOne[*ACL, ACL](r, KindACL, id) }

// ACLs lists the ACLs of an account, ordered by id.
func (r *Registry) ACLs(account string) []ACL {
	return readAccount[*ACL, ACL](r, KindACL, account)
}

// Outgoing returns the outgoing configuration of a zone id.
func (r *Registry) Outgoing(id string) (Outgoing, bool) {
	return readOne[*Outgoing, Outgoing](r, KindOutgoing, id)
}

// Token returns the token of an id.
func (r *Registry) Token(id string) (Token, bool) { return readOne[*Token, Token](r, KindToken, id) }

// Tokens lists all tokens, ordered by id.
func (r *Registry) Tokens() []Token { return readAccount[*Token, Token](r, KindToken, "") }

// ZonesOfPeer lists the ids of the zones that are fetched from a peer, in order.
func (r *Registry) ZonesOfPeer(peerID string) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state.zonesOfPeer[peerID].sorted()
}

// PeersOfTSIG lists the ids of the peers that use a key, in order.
func (r *Registry) PeersOfTSIG(tsigID string) []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.state.peersOfTSIG[tsigID].sorted()
}

// cloner is a stored object that can give a copy of itself.
type cloner[T any] interface {
	object
	clone() T
}

func readOne[P cloner[T], T any](r *Registry, kind Kind, id string) (T, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	stored, ok := r.state.objects[key{kind, id}].(P)
	if !ok {
		var none T
		return none, false
	}
	return stored.clone(), true
}

func readAccount[P cloner[T], T any](r *Registry, kind Kind, id string) []T {
	r.mu.RLock()
	defer r.mu.RUnlock()
	ids := r.state.accounts[accountKey{kind, id}].sorted()
	list := make([]T, 0, len(ids))
	for _, member := range ids {
		if stored, ok := r.state.objects[key{kind, member}].(P); ok {
			list = append(list, stored.clone())
		}
	}
	return list
}
