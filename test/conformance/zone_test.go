package conformance

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
	"secondaryd/test/harness"
)

// zone is what all servers are told of a zone, and its names as questions need
// them.
type zone struct {
	name      string
	records   []dns.RR
	refusedBy map[string]bool // the peers that do not load it

	apex   wire.Name
	owners map[string][]uint16 // types at each name in lower case, wire form; none at an empty non-terminal
}

// newZone reads zone text whose names are absolute or below the zone's.
func newZone(t *testing.T, name, text string) *zone {
	t.Helper()
	records := parse(t, name, text)
	z := &zone{
		name:    name,
		records: records,
		apex:    wiretest.Name(t, name),
		owners:  make(map[string][]uint16),
	}
	for _, rr := range records {
		z.note(wiretest.Name(t, rr.Header().Name).Fold(), rr.Header().Rrtype)
	}
	return z
}

// emptyRdata matches a record without RDATA, which the library's parser refuses.
var emptyRdata = regexp.MustCompile(`(?m)^(\S+)\s.*\bTYPE(\d+)\s+\\# 0\s*$`)

func parse(t *testing.T, origin, text string) []dns.RR {
	t.Helper()
	records, err := primary.Parse(origin, emptyRdata.ReplaceAllString(text, ""))
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range emptyRdata.FindAllStringSubmatch(text, -1) {
		// As a record with one octet, which is then taken away.
		more, err := primary.Parse(origin, fmt.Sprintf("%s 3600 TYPE%s \\# 1 00", found[1], found[2]))
		if err != nil {
			t.Fatal(err)
		}
		more[0].(*dns.RFC3597).Rdata = ""
		records = append(records, more...)
	}
	return records
}

func (z *zone) note(owner wire.Name, rtype uint16) {
	key := string(owner)
	if !slices.Contains(z.owners[key], rtype) {
		z.owners[key] = append(z.owners[key], rtype)
	}
	for n := owner; len(n) > len(z.apex); {
		n = n.Parent()
		if _, ok := z.owners[string(n)]; !ok {
			z.owners[string(n)] = nil
		}
	}
}

// names are the owners and the empty non-terminals in canonical order.
func (z *zone) names() []wire.Name {
	var all []wire.Name
	for key := range maps.Keys(z.owners) {
		all = append(all, wire.Name(key))
	}
	slices.SortFunc(all, wire.Name.Compare)
	return all
}

// signed makes a signed version of a zone.
func signed(t *testing.T, name, text string, how harness.Denial) *zone {
	t.Helper()
	return newZone(t, name, harness.Sign(t, name, text, how).Text)
}

// served is the zones that one server has.
type served struct{ apexes map[string]bool }

func newServed(zones []*zone) *served {
	s := &served{make(map[string]bool)}
	for _, z := range zones {
		s.apexes[z.name] = true
	}
	return s
}

// leaves says whether an alias leads out of its zone into another one.
func (s *served) leaves(alias rrset) bool {
	target := s.zoneOf(lastField(alias.text[0]))
	return target != "" && target != s.zoneOf(alias.owner)
}

// zoneOf is the apex of the deepest zone that a name is in, empty for none.
func (s *served) zoneOf(name string) string {
	for off, end := 0, false; !end; off, end = dns.NextLabel(name, off) {
		if s.apexes[name[off:]] {
			return name[off:]
		}
	}
	if s.apexes["."] {
		return "."
	}
	return ""
}
