package registry

import (
	"iter"
	"maps"
	"slices"
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

// Zones yields all zones there are when it is called, in no order. What they refer to
// must not be changed.
func (r *Registry) Zones() iter.Seq[Zone] {
	r.mu.RLock()
	zones := slices.AppendSeq(make([]*Zone, 0, len(r.state.zones)), maps.Values(r.state.zones))
	r.mu.RUnlock()
	return func(yield func(Zone) bool) {
		for _, zone := range zones { // stored objects never change
			if !yield(*zone) {
				return
			}
		}
	}
}

// ZoneCount is how many zones there are.
func (r *Registry) ZoneCount() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.state.zones)
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
