package registry

import "slices"

// view is the state with changes laid over it that are not durable yet. The
// overlay is small (a few transactions), so it is searched by walking it.
type view struct {
	base *state
	over map[key]object // nil: deleted
	read map[key]bool   // objects of the base that were looked at
	apex map[named]string
}

func newView(base *state) *view {
	return &view{base: base, over: make(map[key]object), read: make(map[key]bool), apex: make(map[named]string)}
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
	zone, _ := v.get(key{KindZone, v.holder(apex)}).(*Zone)
	return zone
}

// zonesOfPeer lists the ids of the zones that a peer is linked to, by either
// configuration, in order.
func (v *view) zonesOfPeer(peer string) []string {
	ids := v.users(v.base.zonesOfPeer[peer], KindZone, func(o object) bool {
		zone, ok := o.(*Zone)
		return ok && slices.Contains(zone.Peers, peer)
	})
	ids = append(ids, v.users(v.base.outgoing[peer], KindOutgoing, func(o object) bool {
		out, ok := o.(*Outgoing)
		return ok && slices.Contains(out.Peers, peer)
	})...)
	slices.Sort(ids)
	return slices.Compact(ids)
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
