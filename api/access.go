package api

import (
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"secondaryd/zonestore/registry"
)

// access is who may use a route. The zero value admits nobody: each route has
// to decide.
type access uint8

// What routes decide. Administrators may use all of them.
const (
	undecided  access = iota
	everybody         // without a token
	holders           // of any valid token
	scrapers          // tokens for the metrics
	readers           // tokens of the account of the path, or of the path's zone
	editors           // those among them that may edit
	ownReaders        // tokens of accounts, where the path names none: the handler keeps to confinedTo
	ownEditors        // those among them that may edit
	admins            // nobody else
)

// restrict is middleware that lets pass who may use a route. What belongs to
// another account is answered as if it did not exist.
func (s *Server) restrict(who access, next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := s.permit(who, c); err != nil {
			return err
		}
		return next(c)
	}
}

// permit is the one place that decides what a token may do.
func (s *Server) permit(who access, c echo.Context) error {
	if who == everybody {
		return nil
	}
	switch caller(c).Scope {
	case registry.ScopeAdmin:
		if who != undecided {
			return nil
		}
	case registry.ScopeMetrics:
		if who == scrapers || who == holders {
			return nil
		}
	case registry.ScopeAccount:
		return s.permitAccount(who, c)
	}
	return errScope()
}

func errScope() error { return refuse(codeScope, "the token does not permit this") }

// permitAccount decides for the token of an account. That it may not edit is
// said first: so the answer is the same whatever there is.
func (s *Server) permitAccount(who access, c echo.Context) error {
	names := c.ParamNames()
	ofAccount, ofZone := slices.Contains(names, "account_id"), slices.Contains(names, "zone_id")
	switch {
	case who == holders, who == ownReaders, who == ownEditors:
	case (who == readers || who == editors) && (ofAccount || ofZone):
	default:
		return errScope()
	}
	if (who == editors || who == ownEditors) && !mayEdit(c) {
		return errScope()
	}
	if ofAccount && !mayUse(c, c.Param("account_id")) {
		return refuse(codeNoAccount, "no such account")
	}
	if ofZone {
		if zone, ok := s.Registry.ListedZone(c.Param("zone_id")); ok && !mayUse(c, zone.Account) {
			return errAbsent(c.Path())
		}
	}
	return nil
}

// errAbsent is what a route says of a zone that is not there.
func errAbsent(path string) error {
	switch {
	case strings.Contains(path, "/secondary_dns/outgoing"):
		return errNoOutgoing()
	case strings.Contains(path, "/secondary_dns/"):
		return errNoIncoming()
	default:
		return errNoZone()
	}
}

// confinedTo is the account that the caller is kept to; false for an
// administrator.
func confinedTo(c echo.Context) (account string, confined bool) {
	token := caller(c)
	return token.Account, token.Scope != registry.ScopeAdmin
}

// mayUse reports whether the caller may know of what belongs to an account.
func mayUse(c echo.Context, account string) bool { return knownTo(c)(account) }

// knownTo is mayUse for many accounts.
func knownTo(c echo.Context) func(account string) bool {
	own, confined := confinedTo(c)
	return func(account string) bool { return !confined || own == account }
}

// mayEdit reports whether the caller may change something, wherever that is.
func mayEdit(c echo.Context) bool {
	token := caller(c)
	return token.Scope == registry.ScopeAdmin || token.Scope == registry.ScopeAccount && token.Access == registry.AccessEdit
}

// zoneOfPath finds the incoming configuration of the path's zone, in the registry
// or, where it is to be changed, in the transaction: there it may be another
// account's by now.
func zoneOfPath(c echo.Context, find func(string) (registry.Zone, bool)) (registry.Zone, error) {
	zone, ok := find(c.Param("zone_id"))
	if !ok || !mayUse(c, zone.Account) {
		return registry.Zone{}, errNoIncoming()
	}
	return zone, nil
}

// outgoingOfPath is zoneOfPath for the outgoing configuration.
func outgoingOfPath(c echo.Context, find func(string) (registry.Outgoing, bool)) (registry.Outgoing, error) {
	o, ok := find(c.Param("zone_id"))
	if !ok || !mayUse(c, o.Account) {
		return registry.Outgoing{}, errNoOutgoing()
	}
	return o, nil
}

// listedOfPath is zoneOfPath for the zone as a whole.
func listedOfPath(c echo.Context, find func(string) (registry.ListedZone, bool)) (registry.ListedZone, error) {
	zone, ok := find(c.Param("zone_id"))
	if !ok || !mayUse(c, zone.Account) {
		return registry.ListedZone{}, errNoZone()
	}
	return zone, nil
}

// ownPeers replaces the ids of peers of accounts that are not known to the caller
// by such as nothing can have: the registry says of both that there is no such
// peer.
func ownPeers(known func(account string) bool, tx *registry.Tx, ids []string) []string {
	hidden := slices.Clone(ids)
	for i, id := range ids {
		if peer, ok := tx.Peer(id); ok && !known(peer.Account) {
			hidden[i] = "?" + id
		}
	}
	return hidden
}
