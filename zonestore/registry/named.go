package registry

import "strings"

// named is an object that belongs to a zone id and has the zone's name. All of
// an id have one name and one account, and no other id has that name.
type named interface {
	object
	Apex() string
}

// namedKinds are the kinds of named objects, one of each at most for an id.
var namedKinds = [...]Kind{KindRegistration, KindZone, KindOutgoing}

// apexOf gives the canonical form of a name that may be malformed.
func apexOf(name string) string {
	apex, err := ApexKey(name)
	if err != nil {
		return strings.ToLower(strings.TrimSuffix(name, ".")) + "."
	}
	return apex
}

// enterName notes whose the object's name is.
func (s *state) enterName(o named) { s.names[o.Apex()] = o.key().id }

// leaveName forgets the name of an object that has been deleted, unless others
// of its zone have it.
func (s *state) leaveName(o named) {
	apex, id := o.Apex(), o.key().id
	if s.names[apex] == id && !s.hasName(apex, id) {
		delete(s.names, apex)
	}
}

// hasName reports whether an object of the zone has that apex.
func (s *state) hasName(apex, id string) bool {
	for _, kind := range namedKinds {
		if o, ok := s.get(key{kind, id}).(named); ok && o.Apex() == apex {
			return true
		}
	}
	return false
}

// holder returns the id of the zone that has the apex; empty if none has.
func (v *view) holder(apex string) string {
	if held, ok := v.names[apex]; ok {
		return held.id
	}
	id, ok := v.base.names[apex]
	if !ok {
		return ""
	}
	for _, kind := range namedKinds {
		k := key{kind, id}
		if _, replaced := v.over[k]; replaced {
			continue
		}
		if o, ok := v.base.get(k).(named); ok && o.Apex() == apex {
			return id
		}
	}
	return ""
}

// siblings returns what else there is of an object's zone.
func (v *view) siblings(of named) (others []named) {
	own := of.key()
	for _, kind := range namedKinds {
		if kind == own.kind {
			continue
		}
		if o, ok := v.get(key{kind, own.id}).(named); ok {
			others = append(others, o)
		}
	}
	return others
}

// checkName refuses a name that another zone id has, and one that is not that
// of the rest of the zone.
func (tx *Tx) checkName(o named) error {
	apex := o.Apex()
	for _, other := range tx.view.siblings(o) {
		if other.Apex() != apex {
			return invalid("/name", ReasonOtherName, "the zone of this id is %s, also by its other settings, and keeps that name with them", other.Apex())
		}
	}
	if holder := tx.view.holder(apex); holder != "" && holder != o.key().id {
		return invalid("/name", ReasonTaken, "the zone %s is configured under another zone id", apex)
	}
	return nil
}
