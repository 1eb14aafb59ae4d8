package primary

import "github.com/miekg/dns"

// maxHistory is how many versions back an IXFR can begin.
const maxHistory = 200

// Difference leads from one version of a zone to the next.
type Difference struct {
	From, To       *dns.SOA
	Deleted, Added []dns.RR // without the SOA
}

// differ finds what leads from one version to the next, the SOA apart.
func differ(from, to *content) Difference {
	d := Difference{From: from.soa, To: to.soa}
	had := texts(from.records)
	has := texts(to.records)
	for _, rr := range from.records {
		if _, ok := has[rr.String()]; !ok {
			d.Deleted = append(d.Deleted, rr)
		}
	}
	for _, rr := range to.records {
		if _, ok := had[rr.String()]; !ok {
			d.Added = append(d.Added, rr)
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
	if steps := c.steps(serial); steps != nil {
		return c.chain(steps)
	}
	return c.all()
}

// steps are the differences that lead from the version with that serial to the
// newest, nil if it is not known.
func (c *content) steps(serial uint32) []Difference {
	for i, d := range c.history {
		if d.From.Serial == serial {
			return c.history[i:]
		}
	}
	return nil
}

// chain is the answer section that the differences make. A SOA that a script
// took away is left out.
func (c *content) chain(steps []Difference) []dns.RR {
	records := []dns.RR{c.soa}
	for _, d := range steps {
		if d.From != nil {
			records = append(records, d.From)
		}
		records = append(records, d.Deleted...)
		if d.To != nil {
			records = append(records, d.To)
		}
		records = append(records, d.Added...)
	}
	return append(records, c.soa)
}

// all is the answer section of an AXFR.
func (c *content) all() []dns.RR {
	return append(append([]dns.RR{c.soa}, c.records...), c.soa)
}
