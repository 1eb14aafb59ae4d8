package registry

import (
	"maps"
	"slices"
	"unique"
)

// state is all objects in memory with the indexes the daemon asks for. It is
// guarded by its owner; the objects in it are never changed.
type state struct {
	objects     map[key]object    // all but zones
	zones       map[string]*Zone  // by id
	names       map[string]string // apex to zone id, of all named objects
	zonesOfPeer map[string]set    // by their incoming configuration
	outgoing    map[string]set    // ids of the zones handed out to a peer
	peersOfTSIG map[string]set
	accounts    map[accountKey]set // ids of all but zones
	ranges      ranges
	revision    uint64
}

type set map[string]struct{}

// accountKey addresses the objects of one kind in one account.
type accountKey struct {
	kind Kind
	id   string
}

// newState makes a state with room for that many zones.
func newState(zones int) *state {
	return &state{
		objects:     make(map[key]object),
		zones:       make(map[string]*Zone, zones),
		names:       make(map[string]string, zones),
		zonesOfPeer: make(map[string]set),
		outgoing:    make(map[string]set),
		peersOfTSIG: make(map[string]set),
		accounts:    make(map[accountKey]set),
		ranges:      make(ranges),
	}
}

// put stores o in the place of the object of the same key.
func (s *state) put(o object) {
	k := o.key()
	s.delete(k)
	if zone, ok := o.(*Zone); ok {
		s.putZone(zone)
		return
	}
	s.objects[k] = o
	addTo(s.accounts, accountKey{k.kind, o.account()}, k.id)
	s.index(o)
}

// index enters an object into the indexes of its kind.
func (s *state) index(o object) {
	switch o := o.(type) {
	case *Peer:
		if o.TSIG != nil {
			addTo(s.peersOfTSIG, *o.TSIG, o.ID)
		}
	case *ACL:
		s.ranges.add(o)
	case *Outgoing:
		s.enterName(o)
		for _, peer := range o.Peers {
			addTo(s.outgoing, peer, o.ID)
		}
	case *Registration:
		s.enterName(o)
	}
}

func (s *state) putZone(zone *Zone) {
	zone.shareText()
	s.zones[zone.ID] = zone
	s.enterName(zone)
	for _, peer := range zone.Peers {
		addTo(s.zonesOfPeer, peer, zone.ID)
	}
}

// shareText has the many zones of an account and of a peer share the text of
// their ids. Nobody else has the zone yet.
func (z *Zone) shareText() {
	z.Account = unique.Make(z.Account).Value()
	for i, id := range z.Peers {
		z.Peers[i] = unique.Make(id).Value()
	}
}

// get returns the object of key k, or nil.
func (s *state) get(k key) object {
	if k.kind != KindZone {
		return s.objects[k]
	}
	if zone, ok := s.zones[k.id]; ok {
		return zone
	}
	return nil
}

// delete removes the object of key k, if there is one.
func (s *state) delete(k key) {
	switch old := s.get(k).(type) {
	case nil:
	case *Zone:
		s.deleteZone(old)
	default:
		delete(s.objects, k)
		removeFrom(s.accounts, accountKey{k.kind, old.account()}, k.id)
		s.unindex(old)
	}
}

// unindex takes an object out of the indexes of its kind.
func (s *state) unindex(old object) {
	switch old := old.(type) {
	case *Peer:
		if old.TSIG != nil {
			removeFrom(s.peersOfTSIG, *old.TSIG, old.ID)
		}
	case *ACL:
		s.ranges.remove(old)
	case *Outgoing:
		s.leaveName(old)
		for _, peer := range old.Peers {
			removeFrom(s.outgoing, peer, old.ID)
		}
	case *Registration:
		s.leaveName(old)
	}
}

func (s *state) deleteZone(zone *Zone) {
	delete(s.zones, zone.ID)
	s.leaveName(zone)
	for _, peer := range zone.Peers {
		removeFrom(s.zonesOfPeer, peer, zone.ID)
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
