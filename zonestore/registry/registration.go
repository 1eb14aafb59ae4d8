package registry

import (
	"errors"
	"slices"
	"time"
)

// maxVanity is how many name servers of its own a zone may name.
const maxVanity = 16

// Registration is a zone in its own right: a name that belongs to a zone id,
// whether or not the zone is fetched or handed out. Zones that are configured
// without one are known by their configuration alone.
type Registration struct {
	ID       string
	Account  string
	Name     string // as sent, with or without the last dot
	Paused   bool
	Vanity   []string // names of name servers, for those who ask the API
	Created  time.Time
	Modified time.Time
	Revision uint64
}

// Apex gives the zone's name as that of a Zone does.
func (r Registration) Apex() string { return apexOf(r.Name) }

func (r *Registration) key() key         { return key{KindRegistration, r.ID} }
func (r *Registration) account() string  { return r.Account }
func (r *Registration) revision() uint64 { return r.Revision }

func (r *Registration) clone() Registration {
	c := *r
	c.Vanity = slices.Clone(r.Vanity)
	return c
}

// checkRegistration refuses what is malformed, or has another name or account
// than the rest of the zone.
func (tx *Tx) checkRegistration(r *Registration) error {
	err := errors.Join(
		validateID("", r.ID),
		validateOwner(r.Account),
		validateDomainName("/name", r.Name),
		validateVanity(r.Vanity),
	)
	if err != nil {
		return err
	}
	for _, other := range tx.view.siblings(r) {
		if other.account() != r.Account {
			return invalid("/account/id", ReasonAccount, "the zone belongs to another account")
		}
	}
	return tx.checkName(r)
}

func validateOwner(account string) error {
	if account == "" {
		return invalid("/account/id", ReasonMissing, "the id of an account is needed")
	}
	return validateID("/account/id", account)
}

func validateVanity(names []string) error {
	if len(names) > maxVanity {
		return invalid("/vanity_name_servers", ReasonTooMany, "%d name servers are more than the %d permitted", len(names), maxVanity)
	}
	var problems []error
	for i, name := range names {
		problems = append(problems, validateDomainName(index("/vanity_name_servers", i), name))
	}
	return errors.Join(problems...)
}
