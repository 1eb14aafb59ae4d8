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
	signed  bool
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
		z.signed = z.signed || r.rtype == dns.TypeDNSKEY
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
// is not of the parent's side of the cut nor an address of a name server.
func (z *zone) hidden(r record) bool {
	cut, ok := z.cut(r.owner)
	if !ok {
		return false
	}
	if r.owner == cut && slices.Contains([]uint16{dns.TypeNS, dns.TypeDS, dns.TypeNSEC, dns.TypeRRSIG}, r.rtype) {
		return false
	}
	return !r.address() || !z.targets[r.owner]
}

// hash says that a name is one of NSEC3 records: not to be asked for (RFC 5155
// section 7.2.8), but shown where they prove something.
func (z *zone) hash(owner string) bool { return slices.Contains(z.owners[owner], dns.TypeNSEC3) }

// proof says that the record is shown only where it proves something, which need
// not be in any of our questions: NSEC3, NSEC of a cut, and their signatures.
func (z *zone) proof(r record) bool {
	return z.hash(r.owner) || z.cuts[r.owner] && (r.rtype == dns.TypeNSEC || r.rtype == dns.TypeRRSIG)
}

// questions are, in a fixed order: each RRset of the zone; next to each
// probeEvery-th name an address, a type that is not there, names that are not
// there, and the empty names above.
func (z *zone) questions(probeEvery int) []rrset {
	asked := make(map[rrset]bool)
	var all []rrset
	add := func(owner string, rtype uint16) {
		q := rrset{owner, rtype}
		// Asked for signatures servers give all, or those of one RRset; what is
		// looked at are those that come with an RRset.
		if asked[q] || rtype == dns.TypeRRSIG || !packs(owner) {
			return
		}
		asked[q] = true
		all = append(all, q)
	}
	for i, owner := range slices.Sorted(maps.Keys(z.owners)) {
		if z.hash(owner) {
			continue
		}
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
			// Knot proves no expansion of an NSEC record.
			if rtype == dns.TypeNSEC {
				continue
			}
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
