package conformance

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// answer is a response as it is compared: header, EDNS, and each section as
// RRsets.
type answer struct {
	broken     string // why it can't be read, if so
	rcode      int
	flags      []string // those that are set
	edns       string   // what the OPT record says, empty without one
	answer     []rrset
	authority  []rrset
	additional []rrset
	size       int // octets of the message
}

// rrset is an RRset, or the signatures of one.
type rrset struct {
	owner   string // lower case
	rtype   uint16
	covered uint16 // of RRSIG
	text    []string
}

func (s *rrset) isSignature() bool { return s.rtype == dns.TypeRRSIG }

// covers is the type of the set or the one that its signatures are for.
func (s *rrset) covers() uint16 {
	if s.isSignature() {
		return s.covered
	}
	return s.rtype
}

// read makes an answer of a message to q.
func read(q *question, msg []byte) *answer {
	a := &answer{size: len(msg)}
	echoed := 12 + len(q.name) + 4
	if sent := q.pack(0); len(msg) < echoed || !bytes.Equal(msg[12:echoed], sent[12:echoed]) {
		a.broken = "the question is not echoed as it was sent"
		return a
	}
	var m dns.Msg
	if err := m.Unpack(msg); err != nil {
		a.broken = err.Error()
		return a
	}
	a.rcode = m.Rcode
	a.header(&m)
	a.answer = rrsets(m.Answer)
	a.authority = rrsets(m.Ns)
	a.additional = rrsets(m.Extra)
	if o := m.IsEdns0(); o != nil {
		a.edns = fmt.Sprintf("version %d size %d do %t", o.Version(), o.UDPSize(), o.Do())
	}
	return a
}

// flagNames are the flags of the header in their order.
var flagNames = []string{"aa", "tc", "rd", "ra", "z", "ad", "cd"}

func (a *answer) header(m *dns.Msg) {
	for i, set := range []bool{
		m.Authoritative, m.Truncated, m.RecursionDesired, m.RecursionAvailable, m.Zero, m.AuthenticatedData, m.CheckingDisabled,
	} {
		if set {
			a.flags = append(a.flags, flagNames[i])
		}
	}
}

func (a *answer) has(flag string) bool { return slices.Contains(a.flags, flag) }

// isReferral says whether the answer is a referral and nothing else.
func (a *answer) isReferral() bool {
	return a.rcode == dns.RcodeSuccess && !a.has("aa") && len(a.answer) == 0 && holds(a.authority, dns.TypeNS)
}

func holds(sets []rrset, rtype uint16) bool {
	return slices.ContainsFunc(sets, func(s rrset) bool { return s.rtype == rtype })
}

// rrsets groups records in the order in which their RRsets begin, except that
// signatures come last: where they stand means nothing, while the order of a
// chain of aliases does. OPT is left out.
func rrsets(records []dns.RR) []rrset {
	var sets, signatures []rrset
	for _, rr := range records {
		h := rr.Header()
		s := rrset{owner: dns.CanonicalName(h.Name), rtype: h.Rrtype}
		list := &sets
		if sig, ok := rr.(*dns.RRSIG); ok {
			s.covered, list = sig.TypeCovered, &signatures
		}
		if s.rtype == dns.TypeOPT {
			continue
		}
		at := slices.IndexFunc(*list, func(o rrset) bool {
			return o.owner == s.owner && o.rtype == s.rtype && o.covered == s.covered
		})
		if at < 0 {
			at = len(*list)
			*list = append(*list, s)
		}
		(*list)[at].text = append((*list)[at].text, recordText(rr))
	}
	slices.SortFunc(signatures, compareSets)
	for _, s := range slices.Concat(sets, signatures) {
		slices.Sort(s.text)
	}
	return append(sets, signatures...)
}

func compareSets(a, b rrset) int {
	if c := strings.Compare(a.owner, b.owner); c != 0 {
		return c
	}
	return int(a.covers()) - int(b.covers())
}

// sorted is for the sections in which order means nothing.
func sorted(sets []rrset) []rrset {
	sets = slices.Clone(sets)
	slices.SortStableFunc(sets, compareSets)
	return sets
}

// named are the types whose RDATA has names. Case is no difference: two of the
// peers write names in RDATA in lower case. Which octets of RDATA a server sends
// is what test/interop compares.
var named = map[uint16]bool{
	dns.TypeNS: true, dns.TypeCNAME: true, dns.TypeSOA: true, dns.TypePTR: true, dns.TypeMX: true, dns.TypeSRV: true,
	dns.TypeDNAME: true, dns.TypeRP: true, dns.TypeAFSDB: true, dns.TypeKX: true, dns.TypeNSEC: true,
}

func recordText(rr dns.RR) string {
	h := rr.Header()
	data := strings.TrimPrefix(rr.String(), h.String())
	if unknown, ok := rr.(*dns.RFC3597); ok {
		data = unknown.Rdata // its String has a header of another form
	}
	if named[h.Rrtype] {
		data = strings.ToLower(data)
	}
	return fmt.Sprintf("%s %d %s %s %s", dns.CanonicalName(h.Name), h.Ttl, dns.Class(h.Class), dns.Type(h.Rrtype), data)
}

// String is the answer as reports show it and as it is compared.
func (a *answer) String() string {
	if a.broken != "" {
		return "unreadable: " + a.broken + "\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s; flags: %s", dns.RcodeToString[a.rcode], strings.Join(a.flags, " "))
	if a.edns != "" {
		fmt.Fprintf(&b, "; EDNS: %s", a.edns)
	}
	b.WriteByte('\n')
	writeSets(&b, "answer", a.answer)
	writeSets(&b, "authority", sorted(a.authority))
	writeSets(&b, "additional", sorted(a.additional))
	return b.String()
}

func writeSets(b *strings.Builder, section string, sets []rrset) {
	for _, s := range sets {
		for _, text := range s.text {
			fmt.Fprintf(b, "  %-10s %s\n", section, text)
		}
	}
}
