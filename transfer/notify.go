package transfer

import (
	"errors"
	"net/netip"

	"secondaryd/internal/tsig"
	"secondaryd/internal/wire"
	"secondaryd/zonestore"
	"secondaryd/zonestore/registry"
)

// Why a NOTIFY is not accepted, beside ErrUnknownZone.
var (
	errStranger = errors.New("not a peer of the zone, nor in an ACL of its account")
	errUnsigned = errors.New("not signed, but the peer has a key and notify.require_key is set")
)

// Notify takes a NOTIFY for a zone from an address, signed with key if that is
// not nil and verified then. It returns nil if the sender may send one, and why
// not otherwise: it must be a peer of the zone, in a range of an ACL of the
// zone's account, or have a peer's key. The serial, if there is one, is a hint:
// one that we hold needs no check, any other proves nothing, be it older (RFC
// 1996 section 3.8).
func (e *Engine) Notify(zoneID string, from netip.Addr, key *tsig.Key, serial uint32, hasSerial bool) error {
	from = from.Unmap()
	source := e.registry.Source(zoneID, from)
	if key == nil {
		if err := e.permitUnsigned(source); err != nil {
			return err
		}
	}
	w := wish{notified: true, serial: serial, hinted: hasSerial}
	if source == registry.SourcePeer || source == registry.SourceKeyedPeer {
		w.from = from
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	j, ok := e.jobs[zoneID]
	if !ok {
		return e.notifyEarlyLocked(zoneID, w)
	}
	if hasSerial && j.confirmed(serial) {
		return nil
	}
	e.wantLocked(j, w)
	return nil
}

// notifyEarlyLocked keeps a NOTIFY for a zone that is configured, but came before
// the engine heard of the zone, as at the start.
func (e *Engine) notifyEarlyLocked(zoneID string, w wish) error {
	if _, ok := e.registry.Zone(zoneID); !ok {
		return ErrUnknownZone
	}
	before := e.early[zoneID]
	before.join(w)
	e.early[zoneID] = before
	return nil
}

// permitUnsigned says why an unsigned NOTIFY from a source is not accepted. It
// only starts a check, which is signed, so a peer's key is demanded by request.
func (e *Engine) permitUnsigned(source registry.Source) error {
	switch {
	case source == registry.SourceStranger:
		return errStranger
	case source == registry.SourceKeyedPeer && e.keyed:
		return errUnsigned
	default:
		return nil
	}
}

// confirmed reports whether the copy has that serial and the last refresh had
// no trouble: with trouble, word of a peer is worth a try.
func (j *job) confirmed(serial uint32) bool {
	v := j.served.View()
	return v.State == zonestore.StateServing && v.Serial == serial && !j.running && j.failures == 0
}

// NotifyKey returns the key with that folded name that a peer of the zone may
// sign a NOTIFY with, the peer at that address before others; nil if there is
// none. Names of keys are not unique, so only the zone's own peers count.
func (e *Engine) NotifyKey(zoneID string, from netip.Addr, name wire.Name) *tsig.Key {
	var found *tsig.Key
	z, _ := e.registry.Zone(zoneID)
	for _, id := range z.Peers {
		conf, ok := e.registry.Peer(id)
		if !ok || !e.signsAs(conf, name) {
			continue
		}
		p := e.resolver.resolve(conf)
		if p.key != nil && p.addr.Addr() == from {
			return p.key
		}
		if found == nil {
			found = p.key
		}
	}
	return found
}

// signsAs reports whether the peer's key has that name. It is cheaper than to
// make the key, and forged signatures are mostly of keys that are not ours.
func (e *Engine) signsAs(conf registry.Peer, name wire.Name) bool {
	if conf.TSIG == nil {
		return false
	}
	key, ok := e.registry.TSIG(*conf.TSIG)
	if !ok {
		return false
	}
	own, err := wire.ParseName(key.Name)
	return err == nil && own.Equal(name)
}
