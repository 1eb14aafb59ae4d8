package registry

import (
	"net/netip"
	"time"
)

// ACL is a range of addresses with rights on the zones of its account.
type ACL struct {
	ID       string
	Account  string
	Name     string
	IPRange  string // CIDR as sent, host bits included
	Created  time.Time
	Modified time.Time
	Revision uint64
}

// Prefix is the range with the host bits cleared; false if it is malformed,
// which no stored ACL is.
func (a ACL) Prefix() (netip.Prefix, bool) {
	prefix, err := netip.ParsePrefix(a.IPRange)
	if err != nil {
		return netip.Prefix{}, false
	}
	return prefix.Masked(), true
}

func (a *ACL) key() key         { return key{KindACL, a.ID} }
func (a *ACL) account() string  { return a.Account }
func (a *ACL) revision() uint64 { return a.Revision }
func (a *ACL) clone() ACL       { return *a }
