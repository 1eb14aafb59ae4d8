package registry

import "net/netip"

// ranges counts the ACLs of each account by their range. An address is looked
// up once for each length that a range can have, however many ACLs there are.
type ranges map[accountRange]int

type accountRange struct {
	account string
	prefix  netip.Prefix
}

func (r ranges) add(acl *ACL) {
	if prefix, ok := acl.Prefix(); ok {
		r[accountRange{acl.Account, prefix}]++
	}
}

func (r ranges) remove(acl *ACL) {
	prefix, ok := acl.Prefix()
	if !ok {
		return
	}
	k := accountRange{acl.Account, prefix}
	if r[k]--; r[k] <= 0 {
		delete(r, k)
	}
}

// contain reports whether an ACL of the account has addr in its range. An IPv6
// address matches on every link: a range names none.
func (r ranges) contain(account string, addr netip.Addr) bool {
	widest := minACLBits4
	if addr.Is6() {
		widest = minACLBits6
	}
	for bits := addr.BitLen(); bits >= widest; bits-- {
		prefix, err := addr.Prefix(bits)
		if err != nil {
			return false
		}
		if r[accountRange{account, prefix}] > 0 {
			return true
		}
	}
	return false
}
