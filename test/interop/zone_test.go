package interop

import (
	"maps"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// zone is what the primary handed out.
type zone struct {
	apex    string
	records []record
	owners  map[string][]uint16 // the types at each name
	cuts    map[string]bool     // names with NS below the apex
	targets map[string]bool     // names of name servers
}

// strangeType is a type that no test zone has.
const strangeType = 65399

func newZone(apex string, records []record) *zone {
	z := &zone{
		apex:    dns.CanonicalName(apex),
		records: records,
		owners:  make(map[string][]uint16),
		cuts:    make(map[string]bool),
		targets: make(map[string]bool),
	}
	for _, r := range records {
		if !slices.Contains(z.owners[r.owner], r.rtype) {
			z.owners[r.owner] = append(z.owners[r.owner], r.rtype)
		}
		if r.rtype != dns.TypeNS {
			continue
		}
		z.targets[r.target()] = true
		z.cuts[r.owner] = r.owner != z.apex
	}
	return z
}

// cut is the topmost cut at or above a name.
func (z *zone) cut(name string) (string, bool) {
	offsets := dns.Split(name)
	for _, off := range slices.Backward(offsets) {
		if z.cuts[name[off:]] {
			return name[off:], true
		}
	}
	return "", false
}

// hidden says that no answer may show the record: it lies at or below a cut and
// is not NS or DS of the cut nor an address of a name server.
func (z *zone) hidden(r record) bool {
	cut, ok := z.cut(r.owner)
	if !ok {
		return false
	}
	if r.owner == cut && (r.rtype == dns.TypeNS || r.rtype == dns.TypeDS) {
		return false
	}
	return !r.address() || !z.targets[r.owner]
}

// questions are, in a fixed order: each RRset of the zone; next to each
// probeEvery-th name an address, a type that is not there, names that are not
// there, and the empty names above.
func (z *zone) questions(probeEvery int) []rrset {
	asked := make(map[rrset]bool)
	var all []rrset
	add := func(owner string, rtype uint16) {
		q := rrset{owner, rtype}
		if asked[q] || !packs(owner) {
			return
		}
		asked[q] = true
		all = append(all, q)
	}
	for i, owner := range slices.Sorted(maps.Keys(z.owners)) {
		for _, rtype := range z.owners[owner] {
			add(owner, rtype)
		}
		if i%probeEvery == 0 {
			z.probes(owner, add)
		}
	}
	return all
}

func (z *zone) probes(owner string, add func(string, uint16)) {
	add(owner, dns.TypeA)
	add(owner, strangeType)
	if z.cuts[owner] {
		add(owner, dns.TypeDS)
	}
	add("probe--."+owner, dns.TypeA)
	add("probe--.two."+owner, dns.TypeA)
	if owner == z.apex {
		return
	}
	// An owner's first label may hold escaped dots: the offsets know.
	parent := owner[nextLabel(owner):]
	add("probe--."+parent, dns.TypeA)
	if strings.HasPrefix(owner, "*.") {
		for _, rtype := range z.owners[owner] {
			add("probe--."+parent, rtype)
			add("probe--.two."+parent, rtype)
		}
		add("probe--."+parent, strangeType)
	}
	for ; parent != z.apex; parent = parent[nextLabel(parent):] {
		add(parent, dns.TypeA)
		add(parent, strangeType)
	}
}

func nextLabel(name string) int {
	off, _ := dns.NextLabel(name, 0)
	return off
}

// packs says whether the name is not too long.
func packs(name string) bool {
	_, err := dns.PackDomainName(name, make([]byte, 300), 0, nil, false)
	return err == nil
}
