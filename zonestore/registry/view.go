package registry

import "slices"

// view is the state with changes laid over it that are not durable yet. The
// overlay is small (a few transactions), so it is searched by walking it.
type view struct {
	base *state
	over map[key]object // nil: deleted
	read map[key]bool   // objects of the base that were looked at
	apex map[*Zone]string
}

func newView(base *state) *view {
	return &view{base: base, over: make(map[key]object), read: make(map[key]bool), apex: make(map[*Zone]string)}
}

// get returns the object of a key, or nil.
func (v *view) get(k key) object {
	if o, ok := v.over[k]; ok {
		return o
	}
	v.read[k] = true
	return v.base.get(k)
}

// zoneByName returns the zone with that apex, or nil.
func (v *view) zoneByName(apex string) *Zone {
	for _, o := range v.over {
		if zone, ok := o.(*Zone); ok && v.apexOf(zone) == apex {
			return zone
		}
	}
	id, ok := v.base.names[apex]
	if !ok {
		return nil
	}
	if _, replaced := v.over[key{KindZone, id}]; replaced {
		return nil
	}
	return v.base.zones[id]
}

// apexOf remembers the apexes of the overlay, which are compared often.
func (v *view) apexOf(zone *Zone) string {
	apex, ok := v.apex[zone]
	if !ok {
		apex = zone.Apex()
		v.apex[zone] = apex
	}
	return apex
}

// zonesOfPeer lists the ids of the zones that a peer is linked to, in order.
func (v *view) zonesOfPeer(peer string) []string {
	return v.users(v.base.zonesOfPeer[peer], KindZone, func(o object) bool {
		zone, ok := o.(*Zone)
		return ok && slices.Contains(zone.Peers, peer)
	})
}

// peersOfTSIG lists the ids of the peers that use a key, in order.
func (v *view) peersOfTSIG(tsig string) []string {
	return v.users(v.base.peersOfTSIG[tsig], KindPeer, func(o object) bool {
		peer, ok := o.(*Peer)
		return ok && peer.TSIG != nil && *peer.TSIG == tsig
	})
}

// users joins those of the base that the overlay left alone with those in the
// overlay that use the object.
func (v *view) users(base set, kind Kind, uses func(object) bool) []string {
	var ids []string
	for id := range base {
		if _, replaced := v.over[key{kind, id}]; !replaced {
			ids = append(ids, id)
		}
	}
	for k, o := range v.over {
		if uses(o) {
			ids = append(ids, k.id)
		}
	}
	slices.Sort(ids)
	return ids
}
