package registry

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
	"weak"
)

// ListedZone is a zone as a whole, whichever of registration, incoming and
// outgoing configuration there are of it.
type ListedZone struct {
	ID       string
	Account  string
	Name     string // as sent, with or without the last dot
	Paused   bool
	Vanity   []string
	Incoming bool
	Outgoing bool
	Created  time.Time // of what was there first
	Modified time.Time // of what was changed last
	// Revisions of the registration, the incoming and the outgoing configuration;
	// 0 for what is not there.
	Revisions [3]uint64
}

// Apex gives the zone's name as that of a Zone does.
func (z ListedZone) Apex() string { return apexOf(z.Name) }

// ZoneName ties a name to the zone that has it.
type ZoneName struct {
	Apex    string
	ID      string
	Account string
}

// nameList is the names of all zones in order, as of a revision.
type nameList struct {
	revision uint64
	names    []ZoneName
}

// ZoneNames yields the names of all zones that ListedZone finds, in order. Who
// reads a long list page by page asks again and again: the order is kept while
// nothing changes and the memory is not needed.
func (r *Registry) ZoneNames() iter.Seq[ZoneName] {
	r.namesMu.Lock()
	defer r.namesMu.Unlock()
	list := r.names.Value()
	if list == nil || list.revision != r.Revision() {
		list = r.sortNames()
		r.names = weak.Make(list)
	}
	return slices.Values(list.names)
}

func (r *Registry) sortNames() *nameList {
	r.mu.RLock()
	list := &nameList{r.state.revision, make([]ZoneName, 0, len(r.state.names))}
	for apex, id := range r.state.names {
		list.names = append(list.names, ZoneName{apex, id, r.state.zoneAccount(id)})
	}
	r.mu.RUnlock()
	slices.SortFunc(list.names, func(a, b ZoneName) int { return strings.Compare(a.Apex, b.Apex) })
	return list
}

// ZoneName returns the zone that has a name, the key of ApexKey.
func (r *Registry) ZoneName(apex string) (ZoneName, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	id, ok := r.state.names[apex]
	return ZoneName{apex, id, r.state.zoneAccount(id)}, ok
}

// ZoneName returns the zone that has a name, the key of ApexKey.
func (tx *Tx) ZoneName(apex string) (ZoneName, bool) {
	id := tx.view.holder(apex)
	zone, ok := tx.ListedZone(id)
	return ZoneName{apex, id, zone.Account}, ok
}

// zoneAccount is the account of all objects of a zone id.
func (s *state) zoneAccount(id string) string {
	for _, kind := range namedKinds {
		if o := s.get(key{kind, id}); o != nil {
			return o.account()
		}
	}
	return ""
}

// ListedZone returns the zone of an id, as a whole.
func (r *Registry) ListedZone(id string) (ListedZone, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return listedZone(id, r.state.get)
}

// ListedZone returns the zone of an id, as a whole.
func (tx *Tx) ListedZone(id string) (ListedZone, bool) { return listedZone(id, tx.view.get) }

// listedZone joins the objects of a zone id. The name is taken in the form that
// the registration has, or else the first configuration.
func listedZone(id string, get func(key) object) (z ListedZone, ok bool) {
	z.ID = id
	if r, is := get(key{KindRegistration, id}).(*Registration); is {
		z.join(r, r.Name, r.Created, r.Modified)
		z.Paused, z.Vanity, ok = r.Paused, slices.Clone(r.Vanity), true
		z.Revisions[0] = r.Revision
	}
	if in, is := get(key{KindZone, id}).(*Zone); is {
		z.join(in, in.Name, in.Created, in.Modified)
		z.Incoming, ok = true, true
		z.Revisions[1] = in.Revision
	}
	if out, is := get(key{KindOutgoing, id}).(*Outgoing); is {
		z.join(out, out.Name, out.Created, out.Modified)
		z.Outgoing, ok = true, true
		z.Revisions[2] = out.Revision
	}
	return z, ok
}

func (z *ListedZone) join(o object, name string, created, modified time.Time) {
	if z.Name == "" {
		z.Account, z.Name, z.Created = o.account(), name, created
	}
	if created.Before(z.Created) {
		z.Created = created
	}
	if modified.After(z.Modified) {
		z.Modified = modified
	}
}

// MostOfZone is how many operations DeleteListedZone takes at most.
const MostOfZone = len(namedKinds)

// DeleteListedZone removes all there is of a zone.
func (tx *Tx) DeleteListedZone(id string) error {
	found := false
	for _, kind := range namedKinds {
		k := key{kind, id}
		if tx.view.get(k) == nil {
			continue
		}
		if err := tx.set(k, nil); err != nil {
			return err
		}
		found = true
	}
	if !found {
		return fmt.Errorf("zone %s: %w", id, ErrNotFound)
	}
	return nil
}
