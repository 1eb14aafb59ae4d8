package registry

import "slices"

// view is the state with changes laid over it that are not durable yet. The
// overlay is small (a few transactions), so it is searched by walking it, but for
// names: each zone that is put asks whose its name is.
type view struct {
	base  *state
	over  map[key]object // nil: deleted
	read  map[key]bool   // objects of the base that were looked at
	names map[string]holding
}

// holding is who has a name in the overlay, with how many objects.
type holding struct {
	id    string
	count int
}

func newView(base *state) *view {
	return &view{base: base, over: make(map[key]object), read: make(map[key]bool), names: make(map[string]holding)}
}

// lay makes o the object of a key in the overlay; nil: it is deleted.
func (v *view) lay(k key, o object) {
	v.lift(k)
	v.over[k] = o
	if o, ok := o.(named); ok {
		apex := o.Apex()
		v.names[apex] = holding{k.id, v.names[apex].count + 1}
	}
}

// lift has the object of the base seen again.
func (v *view) lift(k key) {
	if o, ok := v.over[k].(named); ok {
		apex := o.Apex()
		if held := v.names[apex]; held.count > 1 {
			v.names[apex] = holding{held.id, held.count - 1}
		} else {
			delete(v.names, apex)
		}
	}
	delete(v.over, k)
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
