package registry

import "errors"

// maxPeers is how many peers a zone may be linked to.
const maxPeers = 30

// checkZone refuses a zone that is malformed, whose name another zone id has or
// whose peers are not all there and of one account. It sets an empty Account.
func (tx *Tx) checkZone(zone *Zone) error {
	account, peers := tx.checkPeers(zone)
	if err := errors.Join(validateZone(zone), peers); err != nil {
		return err
	}
	if zone.Account == "" {
		zone.Account = account
	}
	if holder := tx.view.zoneByName(zone.Apex()); holder != nil && holder.ID != zone.ID {
		return invalid("/name", ReasonTaken, "the zone %s is configured under another zone id", zone.Apex())
	}
	return nil
}

// checkPeers verifies the references of a zone and returns their account.
func (tx *Tx) checkPeers(zone *Zone) (account string, err error) {
	switch {
	case len(zone.Peers) == 0:
		return "", invalid("/peers", ReasonMissing, "at least one peer is needed")
	case len(zone.Peers) > maxPeers:
		return "", invalid("/peers", ReasonTooMany, "%d peers are more than the %d permitted", len(zone.Peers), maxPeers)
	}
	account = zone.Account
	var problems []error
	seen := make(map[string]bool, len(zone.Peers))
	for i, id := range zone.Peers {
		peer, ok := tx.view.get(key{KindPeer, id}).(*Peer)
		switch {
		case seen[id]:
			problems = append(problems, invalid(index("/peers", i), ReasonDuplicate, "the peer is listed twice"))
		case !ok:
			problems = append(problems, invalid(index("/peers", i), ReasonUnknown, "there is no peer of this id"))
		case account == "":
			account = peer.Account
		case peer.Account != account:
			problems = append(problems, invalid(index("/peers", i), ReasonAccount, "there is no peer of this id in the account of the others"))
		}
		seen[id] = true
	}
	return account, errors.Join(problems...)
}

// checkPeer refuses a peer that is malformed, whose key is not there, or that
// would change its account.
func (tx *Tx) checkPeer(peer *Peer) error {
	if err := tx.checkAccount(peer); err != nil {
		return err
	}
	return errors.Join(validatePeer(peer, tx.options.ForbidPrivate), tx.checkKey(peer))
}

func (tx *Tx) checkKey(peer *Peer) error {
	if peer.TSIG == nil {
		return nil
	}
	tsig, ok := tx.view.get(key{KindTSIG, *peer.TSIG}).(*TSIG)
	if !ok || tsig.Account != peer.Account {
		return invalid("/tsig_id", ReasonUnknown, "there is no tsig of this id")
	}
	return nil
}

func (tx *Tx) checkTSIG(tsig *TSIG) error {
	if err := tx.checkAccount(tsig); err != nil {
		return err
	}
	return validateTSIG(tsig)
}

func (tx *Tx) checkACL(acl *ACL) error {
	if err := tx.checkAccount(acl); err != nil {
		return err
	}
	return validateACL(acl)
}

// checkAccount keeps an object in the account it was made in: others of that
// account refer to it.
func (tx *Tx) checkAccount(o object) error {
	k := o.key()
	if err := errors.Join(validateID("", k.id), validateID("", o.account())); err != nil {
		return err
	}
	if old := tx.view.get(k); old != nil && old.account() != o.account() {
		return invalid("", ReasonAccount, "the %s belongs to another account", k.kind)
	}
	return nil
}
