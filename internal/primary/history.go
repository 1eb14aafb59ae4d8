package primary

import "github.com/miekg/dns"

// maxHistory is how many versions back an IXFR can begin.
const maxHistory = 200

// difference leads from one version of a zone to the next.
type difference struct {
	from, to       *dns.SOA
	deleted, added []dns.RR
}

// differ finds what leads from one version to the next, the SOA apart.
func differ(from, to *content) difference {
	d := difference{from: from.soa, to: to.soa}
	had := texts(from.records)
	has := texts(to.records)
	for _, rr := range from.records {
		if _, ok := has[rr.String()]; !ok {
			d.deleted = append(d.deleted, rr)
		}
	}
	for _, rr := range to.records {
		if _, ok := had[rr.String()]; !ok {
			d.added = append(d.added, rr)
		}
	}
	return d
}

func texts(records []dns.RR) map[string]struct{} {
	set := make(map[string]struct{}, len(records))
	for _, rr := range records {
		set[rr.String()] = struct{}{}
	}
	return set
}

// since is the answer section of an IXFR to a client that has the version with
// that serial (RFC 1995 section 4): the SOA alone if that is the newest, the
// whole zone if it is not known.
func (c *content) since(serial uint32) []dns.RR {
	if serial == c.soa.Serial {
		return []dns.RR{c.soa}
	}
	for i, d := range c.history {
		if d.from.Serial == serial {
			return c.chain(c.history[i:])
		}
	}
	return c.all()
}

func (c *content) chain(steps []difference) []dns.RR {
	records := []dns.RR{c.soa}
	for _, d := range steps {
		records = append(append(records, d.from), d.deleted...)
		records = append(append(records, d.to), d.added...)
	}
	return append(records, c.soa)
}

// all is the answer section of an AXFR.
func (c *content) all() []dns.RR {
	return append(append([]dns.RR{c.soa}, c.records...), c.soa)
}
