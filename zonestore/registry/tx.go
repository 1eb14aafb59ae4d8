package registry

import (
	"fmt"
	"time"
)

// maxOperations is how many puts and deletes a transaction may have, so that none
// holds up the others for long.
const maxOperations = 128

// Tx is a transaction. It sees its own changes. It belongs to the function that
// Update runs and must not be kept.
//
// Puts and deletes check everything that has to hold and refuse with an
// *InvalidError (several are joined), an *InUseError or ErrNotFound; a refused
// operation leaves the transaction as it was.
type Tx struct {
	view     *view
	options  *Options
	codec    codec
	now      time.Time
	revision uint64
	undo     []undo
}

// Room is how many more puts and deletes the transaction may have. Those that
// are refused take none.
func (tx *Tx) Room() int { return maxOperations - len(tx.undo) }

// undo restores one key of the view.
type undo struct {
	key    key
	before object
	was    bool   // the view had an entry
	value  []byte // what is stored in its place; nil: it is deleted
}

// Zone returns the zone of an id.
func (tx *Tx) Zone(id string) (Zone, bool) { return txOne[*Zone, Zone](tx, KindZone, id) }

// Peer returns the peer of an id.
func (tx *Tx) Peer(id string) (Peer, bool) { return txOne[*Peer, Peer](tx, KindPeer, id) }

// TSIG returns the key of an id.
func (tx *Tx) TSIG(id string) (TSIG, bool) { return txOne[*TSIG, TSIG](tx, KindTSIG, id) }

// ACL returns the ACL of an id.
func (tx *Tx) ACL(id string) (ACL, bool) { return txOne[*ACL, ACL](tx, KindACL, id) }

// Outgoing returns the outgoing configuration of a zone id.
func (tx *Tx) Outgoing(id string) (Outgoing, bool) {
	return txOne[*Outgoing, Outgoing](tx, KindOutgoing, id)
}

// Registration returns the registration of a zone id.
func (tx *Tx) Registration(id string) (Registration, bool) {
	return txOne[*Registration, Registration](tx, KindRegistration, id)
}

// Token returns the token of an id.
func (tx *Tx) Token(id string) (Token, bool) { return txOne[*Token, Token](tx, KindToken, id) }

// ZoneByName returns the zone whose Apex is the given key.
func (tx *Tx) ZoneByName(apex string) (Zone, bool) {
	if zone := tx.view.zoneByName(apex); zone != nil {
		return zone.clone(), true
	}
	return Zone{}, false
}

// PutZone creates or replaces a zone. Revision, Created and Modified are set
// here; an empty Account becomes that of the peers.
func (tx *Tx) PutZone(zone Zone) error {
	zone = zone.clone()
	if err := tx.checkZone(&zone); err != nil {
		return err
	}
	zone.Revision, zone.Created, zone.Modified = tx.revision, tx.now, tx.now
	if old, ok := tx.Zone(zone.ID); ok {
		zone.Created = old.Created
	}
	return tx.set(zone.key(), &zone)
}

// PutPeer creates or replaces a peer.
func (tx *Tx) PutPeer(peer Peer) error {
	peer = peer.clone()
	if err := tx.checkPeer(&peer); err != nil {
		return err
	}
	peer.Revision = tx.revision
	return tx.set(peer.key(), &peer)
}

// PutTSIG creates or replaces a key.
func (tx *Tx) PutTSIG(tsig TSIG) error {
	if err := tx.checkTSIG(&tsig); err != nil {
		return err
	}
	tsig.Revision = tx.revision
	return tx.set(tsig.key(), &tsig)
}

// PutACL creates or replaces an ACL. Revision, Created and Modified are set here.
func (tx *Tx) PutACL(acl ACL) error {
	if err := tx.checkACL(&acl); err != nil {
		return err
	}
	acl.Revision, acl.Created, acl.Modified = tx.revision, tx.now, tx.now
	if old, ok := tx.ACL(acl.ID); ok {
		acl.Created = old.Created
	}
	return tx.set(acl.key(), &acl)
}

// PutOutgoing creates or replaces the outgoing configuration of a zone. Revision,
// Created and Modified are set here; an empty Account becomes that of the peers.
func (tx *Tx) PutOutgoing(o Outgoing) error {
	o = o.clone()
	if err := tx.checkOutgoing(&o); err != nil {
		return err
	}
	o.Revision, o.Created, o.Modified = tx.revision, tx.now, tx.now
	if old, ok := tx.Outgoing(o.ID); ok {
		o.Created = old.Created
	}
	return tx.set(o.key(), &o)
}

// PutRegistration creates or replaces the registration of a zone. Revision,
// Created and Modified are set here.
func (tx *Tx) PutRegistration(r Registration) error {
	r = r.clone()
	if err := tx.checkRegistration(&r); err != nil {
		return err
	}
	r.Revision, r.Created, r.Modified = tx.revision, tx.now, tx.now
	if old, ok := tx.Registration(r.ID); ok {
		r.Created = old.Created
	}
	return tx.set(r.key(), &r)
}

// PutToken creates or replaces a token. Revision and Created are set here.
func (tx *Tx) PutToken(token Token) error {
	token = token.clone()
	if token.Expires != nil {
		*token.Expires = token.Expires.UTC()
	}
	if err := validateToken(&token, tx.now); err != nil {
		return err
	}
	token.Revision, token.Created = tx.revision, tx.now
	if old, ok := tx.Token(token.ID); ok {
		token.Created = old.Created
	}
	return tx.set(token.key(), &token)
}

// DeleteZone removes a zone.
func (tx *Tx) DeleteZone(id string) error { return tx.delete(key{KindZone, id}, nil) }

// DeletePeer removes a peer that no zone is linked to.
func (tx *Tx) DeletePeer(id string) error {
	return tx.delete(key{KindPeer, id}, tx.view.zonesOfPeer(id))
}

// DeleteTSIG removes a key that no peer uses.
func (tx *Tx) DeleteTSIG(id string) error {
	return tx.delete(key{KindTSIG, id}, tx.view.peersOfTSIG(id))
}

// DeleteACL removes an ACL.
func (tx *Tx) DeleteACL(id string) error { return tx.delete(key{KindACL, id}, nil) }

// DeleteOutgoing removes the outgoing configuration of a zone.
func (tx *Tx) DeleteOutgoing(id string) error { return tx.delete(key{KindOutgoing, id}, nil) }

// DeleteToken revokes a token.
func (tx *Tx) DeleteToken(id string) error { return tx.delete(key{KindToken, id}, nil) }

func (tx *Tx) delete(k key, users []string) error {
	if tx.view.get(k) == nil {
		return fmt.Errorf("%s %s: %w", k.kind, k.id, ErrNotFound)
	}
	if len(users) > 0 {
		return &InUseError{Kind: k.kind, ID: k.id, Users: users}
	}
	return tx.set(k, nil)
}

// set makes o the object of key k; nil deletes it.
func (tx *Tx) set(k key, o object) error {
	if len(tx.undo) == maxOperations {
		return ErrTooMany
	}
	var value []byte
	if o != nil {
		if value = tx.codec.encode(o); len(value) > maxObject {
			return invalid("", ReasonTooLarge, "the object takes %d octets, more than the %d permitted", len(value), maxObject)
		}
	}
	before, was := tx.view.over[k]
	tx.undo = append(tx.undo, undo{k, before, was, value})
	tx.view.lay(k, o)
	return nil
}

// Try runs fn as a part of the transaction. Of a part that fails nothing is left;
// what fails it is returned, and need not fail the transaction.
func (tx *Tx) Try(fn func() error) error {
	before := len(tx.undo)
	err := fn()
	if err != nil {
		tx.rollback(before)
	}
	return err
}

// rollback takes back what the transaction did to its view, but for the first
// operations.
func (tx *Tx) rollback(first int) {
	for i := len(tx.undo) - 1; i >= first; i-- {
		if u := tx.undo[i]; u.was {
			tx.view.lay(u.key, u.before)
		} else {
			tx.view.lift(u.key)
		}
	}
	tx.undo = tx.undo[:first]
}

// octets is about how large the objects are that the transaction has replaced, and
// those in their place.
func (tx *Tx) octets() (sum int) {
	for _, u := range tx.undo {
		if !u.was {
			u.before = tx.view.base.get(u.key)
		}
		sum += octets(u.before) + octets(tx.view.over[u.key])
	}
	return sum
}

// octets is about how large an object is when it is stored. Only texts in PEM and
// secrets make a difference.
func octets(o object) int {
	const small = 1 << 10
	switch o := o.(type) {
	case nil:
		return 0
	case *TSIG:
		return small + len(o.Secret)
	case *Peer:
		if t := o.TLS; t != nil {
			return small + len(t.CACertificate) + len(t.ClientCertificate) + len(t.ClientKey)
		}
	}
	return small
}

// transaction is what is stored of what the transaction did: each object once, as
// it was put last.
func (tx *Tx) transaction(actor Actor) Transaction {
	t := Transaction{Revision: tx.revision, Time: tx.now, Actor: actor}
	at := make(map[key]int, len(tx.undo))
	for _, u := range tx.undo {
		i, ok := at[u.key]
		if !ok {
			i = len(t.Changes)
			at[u.key] = i
			t.Changes = append(t.Changes, Replacement{Entry: Entry{Kind: u.key.kind, ID: u.key.id}})
		}
		t.Changes[i].Value = u.value
	}
	return t
}

func txOne[P cloner[T], T any](tx *Tx, kind Kind, id string) (T, bool) {
	stored, ok := tx.view.get(key{kind, id}).(P)
	if !ok {
		var none T
		return none, false
	}
	return stored.clone(), true
}
