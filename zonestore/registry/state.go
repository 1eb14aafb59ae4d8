package registry

import (
	"maps"
	"slices"
)

// state is all objects in memory with the indexes the daemon asks for. It is
// guarded by its owner; the objects in it are never changed.
type state struct {
	objects     map[key]object
	zones       map[string]*Zone  // by id
	names       map[string]string // apex to zone id
	zonesOfPeer map[string]set
	peersOfTSIG map[string]set
	accounts    map[accountKey]set // ids of peers, keys and ACLs
	revision    uint64
}

type set map[string]struct{}

// accountKey addresses the objects of one kind in one account.
type accountKey struct {
	kind Kind
	id   string
}

func newState() *state {
	return &state{
		objects:     make(map[key]object),
		zones:       make(map[string]*Zone),
		names:       make(map[string]string),
		zonesOfPeer: make(map[string]set),
		peersOfTSIG: make(map[string]set),
		accounts:    make(map[accountKey]set),
	}
}

// put stores o in the place of the object of the same key.
func (s *state) put(o object) {
	k := o.key()
	s.delete(k)
	s.objects[k] = o
	addTo(s.accounts, accountKey{k.kind, o.account()}, k.id)
	switch o := o.(type) {
	case *Zone:
		s.zones[o.ID] = o
		s.names[o.Apex()] = o.ID
		for _, peer := range o.Peers {
			addTo(s.zonesOfPeer, peer, o.ID)
		}
	case *Peer:
		if o.TSIG != nil {
			addTo(s.peersOfTSIG, *o.TSIG, o.ID)
		}
	}
}

// delete removes the object of key k, if there is one.
func (s *state) delete(k key) {
	old, ok := s.objects[k]
	if !ok {
		return
	}
	delete(s.objects, k)
	removeFrom(s.accounts, accountKey{k.kind, old.account()}, k.id)
	switch o := old.(type) {
	case *Zone:
		delete(s.zones, o.ID)
		if apex := o.Apex(); s.names[apex] == o.ID {
			delete(s.names, apex)
		}
		for _, peer := range o.Peers {
			removeFrom(s.zonesOfPeer, peer, o.ID)
		}
	case *Peer:
		if o.TSIG != nil {
			removeFrom(s.peersOfTSIG, *o.TSIG, o.ID)
		}
	}
}

func addTo[K comparable](index map[K]set, k K, id string) {
	if index[k] == nil {
		index[k] = make(set, 1)
	}
	index[k][id] = struct{}{}
}

func removeFrom[K comparable](index map[K]set, k K, id string) {
	delete(index[k], id)
	if len(index[k]) == 0 {
		delete(index, k)
	}
}

// sorted lists the members of s in order; nil for an empty set.
func (s set) sorted() []string { return slices.Sorted(maps.Keys(s)) }
