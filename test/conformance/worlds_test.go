package conformance

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"secondaryd/test/harness"
)

// serial is that of all zones.
const serial = 1

// world is a set of zones that each server serves together.
type world struct {
	name  string
	zones func(*testing.T) []*zone
}

var worlds = []world{
	{"plain", plainZones},
	{"signed", signedZones},
	{"family", familyZones},
	{"root", rootZones},
}

// denials are the ways to sign a zone.
var denials = []struct {
	name string
	how  harness.Denial
}{
	{"nsec", harness.NSEC},
	{"nsec3", harness.NSEC3},
	{"nsec3-salt", harness.NSEC3Old},
	{"opt-out", harness.OptOut},
}

// head is a zone's beginning: SOA and NS.
const head = `$ORIGIN %s
$TTL 3600
@ SOA ns.example.net. host.example.net. %d 7200 600 86400 300
@ NS ns.example.net.
@ NS ns.example.org.
`

// text is a zone of head and the parts behind it.
func text(name string, parts ...string) string {
	return fmt.Sprintf(head, name, serial) + strings.Join(parts, "\n")
}

// plainZones are not signed.
func plainZones(t *testing.T) []*zone {
	t.Helper()
	// The library's parser can't read on behind an IPSECKEY record.
	small := regexp.MustCompile(`(?m)^ipseckey .*$`).ReplaceAllString(harness.ZoneSmall("small.test.", serial), "")
	zones := []*zone{
		newZone(t, "small.test.", small),
		newZone(t, "single.", text("single.", enclosers, apexTypes)),
		newZone(t, "long.test.", text("long.test.", longNames())),
		newZone(t, "big.test.", text("big.test.", bigSets())),
		newZone(t, "soa.test.", soaTTLs),
	}
	for _, s := range append(shapes, shape{"wild-ns", wildcardNS}) {
		name := s.name + ".test."
		z := newZone(t, name, text(name, s.text))
		z.refusedBy = refusedBy(s.name, "")
		zones = append(zones, z)
	}
	return zones
}

// signedZones are each shape in each way of signing.
func signedZones(t *testing.T) []*zone {
	t.Helper()
	var zones []*zone
	for _, d := range denials {
		for _, s := range shapes {
			name := s.name + "." + d.name + "."
			z := signed(t, name, text(name, s.text), d.how)
			z.refusedBy = refusedBy(s.name, d.name)
			zones = append(zones, z)
		}
	}
	return zones
}

// refusedBy is the peers that do not load a shape.
func refusedBy(shape, denial string) map[string]bool {
	switch {
	case shape == "wild-ns": // NS at a wildcard
		return map[string]bool{"BIND": true}
	case shape == "below-dname":
		return map[string]bool{"Knot": true}
	case shape == "apex-dname" && denial != "" && denial != "nsec": // takes owners of NSEC3 for names below the DNAME
		return map[string]bool{"Knot": true}
	}
	return nil
}

// familyZones are zones below each other: delegated, signed or not, and one that
// its parent knows nothing of.
func familyZones(t *testing.T) []*zone {
	t.Helper()
	var zones []*zone
	for _, d := range denials {
		parent, child, insecure, stray := d.name+".", "child."+d.name+".", "insecure."+d.name+".", "stray.ent."+d.name+"."
		zones = append(
			zones,
			signed(t, parent, text(parent, family), d.how),
			signed(t, child, text(child, enclosers, "to-parent CNAME host."+parent+"\n"), d.how),
			newZone(t, insecure, text(insecure, enclosers)),
			newZone(t, stray, text(stray, enclosers)),
		)
	}
	return zones
}

// rootZones are a small root zone and one of its children.
func rootZones(t *testing.T) []*zone {
	t.Helper()
	return []*zone{
		signed(t, ".", text(".", root), harness.NSEC),
		newZone(t, "child.", text("child.", enclosers)),
	}
}
