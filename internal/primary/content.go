package primary

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// content is one version of a zone. It is never changed: an update makes
// another, so that a running AXFR keeps its version.
type content struct {
	name    string // canonical
	key     string // canonical, empty for none
	soa     *dns.SOA
	records []dns.RR // without the SOA
	history []Difference
}

var errNoZone = errors.New("no such zone")

func newContent(z Zone) (*content, error) {
	c := &content{name: dns.CanonicalName(z.Name)}
	if z.Key != "" {
		c.key = dns.CanonicalName(z.Key)
	}
	for _, rr := range z.Records {
		if !dns.IsSubDomain(c.name, rr.Header().Name) {
			return nil, fmt.Errorf("zone %s: %s is outside", c.name, rr.Header().Name)
		}
		soa, ok := rr.(*dns.SOA)
		if !ok {
			c.records = append(c.records, rr)
			continue
		}
		if c.soa != nil || dns.CanonicalName(soa.Hdr.Name) != c.name {
			return nil, fmt.Errorf("zone %s: more than one SOA, or not at the apex", c.name)
		}
		c.soa = soa
	}
	if c.soa == nil {
		return nil, fmt.Errorf("zone %s: no SOA", c.name)
	}
	return c, nil
}

// Parse reads zone file text. Names without a last dot are below origin.
func Parse(origin, text string) ([]dns.RR, error) {
	p := dns.NewZoneParser(strings.NewReader(text), dns.Fqdn(origin), "")
	p.SetDefaultTTL(3600)
	var records []dns.RR
	for rr, ok := p.Next(); ok; rr, ok = p.Next() {
		records = append(records, rr)
	}
	if err := p.Err(); err != nil {
		return nil, fmt.Errorf("zone %s: %w", origin, err)
	}
	return records, nil
}

// Update replaces a zone's records, SOA included, by what change makes of a copy
// of the list. The serial goes up by one (RFC 1982), unless change itself set
// another. The records themselves are shared with running answers: change must
// replace and not write to them, the SOA excepted, which is a copy. It returns
// the new serial.
func (s *Server) Update(zone string, change func([]dns.RR) []dns.RR) (uint32, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.zones[dns.CanonicalName(zone)]
	if old == nil {
		return 0, fmt.Errorf("update %s: %w", zone, errNoZone)
	}
	records := append([]dns.RR{dns.Copy(old.soa)}, slices.Clone(old.records)...)
	next, err := newContent(Zone{Name: old.name, Key: old.key, Records: change(records)})
	if err != nil {
		return 0, fmt.Errorf("update: %w", err)
	}
	if next.soa.Serial == old.soa.Serial {
		next.soa = dns.Copy(next.soa).(*dns.SOA)
		next.soa.Serial++ // 4294967295 is followed by 0
	}
	next.history = append(slices.Clone(old.history[max(0, len(old.history)-maxHistory+1):]), differ(old, next))
	s.zones[old.name] = next
	return next.soa.Serial, nil
}

// content is the zone of exactly this name, or nil.
func (s *Server) content(zone string) *content {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.zones[dns.CanonicalName(zone)]
}

// enclosing is the deepest zone that name lies in, or nil.
func (s *Server) enclosing(name string) *content {
	s.mu.Lock()
	defer s.mu.Unlock()
	name = dns.CanonicalName(name)
	for off, end := 0, false; !end; off, end = dns.NextLabel(name, off) {
		if c := s.zones[name[off:]]; c != nil {
			return c
		}
	}
	return s.zones["."]
}
