package registry

import "errors"

// maxPeers is how many peers a zone may be linked to.
const maxPeers = 30

// checkZone refuses a zone that is malformed, whose name is another's or whose
// peers are not all there and of one account. It sets the Account.
func (tx *Tx) checkZone(zone *Zone) error {
	account, peers := tx.checkPeers(zone, zone.Peers)
	if err := errors.Join(validateZone(zone), peers); err != nil {
		return err
	}
	zone.Account = account
	return tx.checkName(zone)
}

// checkOutgoing refuses what checkZone would of a zone.
func (tx *Tx) checkOutgoing(o *Outgoing) error {
	account, peers := tx.checkPeers(o, o.Peers)
	if err := errors.Join(validateID("", o.ID), validateDomainName("/name", o.Name), peers); err != nil {
		return err
	}
	o.Account = account
	return tx.checkName(o)
}

// checkPeers verifies the references of a zone's configuration and returns
// their account: the zone's, if there is more of it.
func (tx *Tx) checkPeers(of named, peers []string) (account string, err error) {
	switch {
	case len(peers) == 0:
		return "", invalid("/peers", ReasonMissing, "at least one peer is needed")
	case len(peers) > maxPeers:
		return "", invalid("/peers", ReasonTooMany, "%d peers are more than the %d permitted", len(peers), maxPeers)
	}
	account = of.account()
	for _, other := range tx.view.siblings(of) {
		account = other.account()
	}
	var problems []error
	seen := make(map[string]bool, len(peers))
	for i, id := range peers {
		peer, ok := tx.view.get(key{KindPeer, id}).(*Peer)
		switch {
		case seen[id]:
			problems = append(problems, invalid(index("/peers", i), ReasonDuplicate, "the peer is listed twice"))
		case !ok:
			problems = append(problems, invalid(index("/peers", i), ReasonUnknown, "there is no peer of this id"))
		case account == "":
			account = peer.Account
		case peer.Account != account:
			problems = append(problems, invalid(index("/peers", i), ReasonAccount, "there is no peer of this id in the account of the zone"))
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
