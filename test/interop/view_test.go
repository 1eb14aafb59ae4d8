package interop

import (
	"net/netip"
	"slices"

	"github.com/miekg/dns"
)

// view is what of an answer must be the same at every server of a zone. What two
// right servers may do differently is left out here, each with its reason.
type view struct {
	Rcode     int
	AA        bool
	Answer    []string
	Authority []string
	Glue      []string
}

func (z *zone) view(m *message) view {
	return view{
		Rcode:     m.rcode,
		AA:        m.aa,
		Answer:    texts(m.answer),
		Authority: texts(z.authority(m)),
		Glue:      texts(z.glue(m)),
	}
}

// authority is the SOA of a negative answer and the NS (and DS) of a referral.
//
// Left out: the NS of the apex. A server may put them beside an answer or not
// (RFC 1034 section 6.2 does, RFC 2181 has them optional); secondaryd does not.
func (z *zone) authority(m *message) []record {
	return slices.DeleteFunc(slices.Clone(m.authority), func(r record) bool {
		return r.rtype == dns.TypeNS && r.owner == z.apex
	})
}

// glue is, of a referral, the addresses of its name servers that lie at or below
// a cut of the zone, be it their own or a sibling's (RFC 9471).
//
// Left out: name servers that the zone has authoritative addresses for, which NSD
// and Knot add and BIND does not; the additional section of all other answers,
// which RFC 1034 section 4.3.2 step 6 leaves to the server; and the OPT record.
func (z *zone) glue(m *message) []record {
	targets := make(map[string]bool)
	for _, r := range z.authority(m) {
		if r.rtype == dns.TypeNS {
			targets[r.target()] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(m.additional), func(r record) bool {
		_, below := z.cut(r.owner)
		return !below || !r.address() || !targets[r.owner]
	})
}

func (r record) address() bool { return r.rtype == dns.TypeA || r.rtype == dns.TypeAAAA }

// target is the name that the RDATA of an NS record is.
func (r record) target() string {
	n, _, err := dns.UnpackDomainName([]byte(r.rdata), 0)
	if err != nil {
		return ""
	}
	return dns.CanonicalName(n)
}

// texts is the records as a set: order means nothing (RFC 2181 section 5).
func texts(records []record) []string {
	var all []string
	for _, r := range records {
		all = append(all, r.String())
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// pair is the server under test and the one that it must agree with.
type pair struct{ ours, theirs *asker }

func newPair(ours, theirs netip.AddrPort, dnssec bool) (pair, error) {
	a, err := newAsker(ours, dnssec)
	if err != nil {
		return pair{}, err
	}
	b, err := newAsker(theirs, dnssec)
	if err != nil {
		a.Close()
		return pair{}, err
	}
	return pair{a, b}, nil
}

func (p pair) close() {
	p.ours.Close()
	p.theirs.Close()
}

// ask puts the same question to both.
func (p pair) ask(z *zone, q rrset) (ours, theirs *message, err error) {
	if ours, err = p.ours.ask(q); err != nil {
		return nil, nil, err
	}
	if theirs, err = p.theirs.ask(q); err != nil {
		return nil, nil, err
	}
	// NSD, Knot and BIND leave glue out of a referral by UDP when it does not
	// fit, without saying so; RFC 9471 has TC set then, as secondaryd does. By TCP
	// they give all of it.
	if len(z.glue(ours)) != len(z.glue(theirs)) {
		theirs, err = p.theirs.askTCP(q)
	}
	return ours, theirs, err
}
