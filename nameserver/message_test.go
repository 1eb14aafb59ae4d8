package nameserver

import (
	"fmt"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
	"secondaryd/zonestore/zone"
)

// RDATA goes out as it came in, octet by octet, also where it looks odd. Only the
// types of RFC 1035 have their names compressed, and never to another case.
func TestRdataAsReceived(t *testing.T) {
	t.Parallel()
	const (
		target = "\x06Target\x02rd\x00" // ends like the question
		other  = "\x06Target\x02rD\x00" // not so, to the octet
	)
	records := map[uint16]string{
		dns.TypeMX:      "\x00\x0A" + other,
		dns.TypePTR:     target,
		dns.TypeTXT:     "\x00\x03abc\x00",
		dns.TypeRP:      target + other,
		dns.TypeAFSDB:   "\x00\x01" + target,
		dns.TypeSRV:     "\x00\x01\x00\x02\x00\x35" + target,
		dns.TypeNAPTR:   "\x00\x01\x00\x01\x01S\x03SIP\x00" + target,
		dns.TypeKX:      "\x00\x01" + target,
		dns.TypeNSEC:    target + "\x00\x01\x40",
		dns.TypeCDS:     "\x00\x00\x00\x00\x00",
		dns.TypeCDNSKEY: "\x00\x00\x03\x00\x00",
		dns.TypeCSYNC:   "\x00\x00\x00\x07\x00\x03\x00\x01\x40",
		66:              "\x00\x3B\x01\x00\x35" + target, // DSYNC (RFC 9859)
		// Keys out of order, and one that nobody knows.
		dns.TypeSVCB:  "\x00\x01" + target + "\xFD\xE8\x00\x01x" + "\x00\x01\x00\x03\x02h2",
		dns.TypeHTTPS: "\x00\x01" + target + "\xFF\x00\x00\x00" + "\x00\x03\x00\x02\x01\xBB",
		65280:         target + "\xC0\x0C",
		65281:         "",
	}
	store := newStore(t)
	b, err := zone.NewBuilder(wiretest.Name(t, "rd."), store.Seed(), zone.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	soa := wiretest.Rdata(t, wiretest.Record(t, "rd. 60 IN SOA a. b. 1 1 1 1 1"))
	if err := b.Add(wiretest.Name(t, "rd."), wire.TypeSOA, 60, soa); err != nil {
		t.Fatal(err)
	}
	for rrtype, rdata := range records {
		if err := b.Add(wiretest.Name(t, "x.rd."), rrtype, 60, []byte(rdata)); err != nil {
			t.Fatal(err)
		}
	}
	z, err := b.Finish()
	if err != nil {
		t.Fatal(err)
	}
	publishZone(t, store, z)
	r := testResponder(store)
	for rrtype, want := range records {
		out := r.answer(questionFor(t, "x.rd.", rrtype), by(UDP), make([]byte, maxUDP))
		var reader wire.Reader
		reader.Reset(out)
		if _, err := reader.Question(); err != nil {
			t.Fatal(err)
		}
		rr, err := reader.Skip()
		if err != nil || rr.Type != rrtype {
			t.Errorf("type %d: got type %d, %v", rrtype, rr.Type, err)
			continue
		}
		got := out[rr.Data : rr.Data+rr.Size]
		if _, _, ok := wire.Compressible(rrtype); ok {
			if got, err = wire.AppendRdata(nil, out, rr.Data, rr.Size, rrtype); err != nil {
				t.Errorf("type %d: %v", rrtype, err)
			}
		}
		if string(got) != want {
			t.Errorf("type %d: got %x, want %x", rrtype, got, want)
		}
	}
}

func questionFor(t testing.TB, name string, qtype uint16) []byte {
	t.Helper()
	m := new(dns.Msg).SetQuestion(name, qtype)
	query, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return query
}

// For every size: TC is clear if and only if nothing is missing that is required,
// and no RRset is there in part or without its signatures (RFC 2181 sections 5.1
// and 9, RFC 4035 section 3.1.1).
func TestWholeOrTruncated(t *testing.T) {
	t.Parallel()
	r := testResponder(newStore(t, exampleOrg, signedZoneAt("signed.test."), denialZone+nsec3Of("@", "b", "w", "*.w").text()))
	for _, tc := range []struct {
		question string
		glue     bool // the additional section is required
	}{
		{"www.example.org A do", false},
		{"alias2.example.org A do", false},
		{"www.dn2.example.org A edns", false},
		{"x.deep.sib.example.org A edns", true},
		{"ns.signed.test A do", false},
		{"ns.signed.test RRSIG do", false},
		{"nothing.signed.test A do", false},
		{"alias.signed.test A do", false},
		{"ns.dn.signed.test A do", false},
		{"x.signed.signed.test A do", false},
		{"x.unsigned.signed.test A do", true},
		{"signed.signed.test DS do", false},
		{"c.n A do", false},
		{"q.w.n A do", false},
	} {
		r.udpSize = maxUDP
		whole := ask(t, r, tc.question)
		want := rrsets(whole, tc.glue)
		sawTC := false
		for size := 512; size > 60; size-- {
			r.udpSize = size // below what is allowed, to get small numbers
			got := ask(t, r, tc.question)
			missing := false
			sets := rrsets(got, tc.glue)
			for key, n := range want {
				missing = missing || sets[key] == 0
				if sets[key] != 0 && sets[key] != n {
					t.Errorf("%s, size %d: %d records of %s, want all %d or none", tc.question, size, sets[key], key, n)
				}
			}
			if got.Truncated != missing || got.Rcode != whole.Rcode || got.Authoritative != whole.Authoritative {
				t.Errorf("%s, size %d: TC %v, something missing %v, %s, AA %v", tc.question, size, got.Truncated, missing,
					dns.RcodeToString[got.Rcode], got.Authoritative)
			}
			sawTC = sawTC || got.Truncated
		}
		if whole.Truncated || !sawTC {
			t.Errorf("%s: the sizes tried say nothing: TC when largest %v, when smallest %v", tc.question, whole.Truncated, sawTC)
		}
	}
}

// rrsets counts the records of an answer by RRset, each with its signatures.
func rrsets(m *dns.Msg, additional bool) map[string]int {
	sections := [][]dns.RR{m.Answer, m.Ns}
	if additional {
		sections = append(sections, withoutOPT(m.Extra))
	}
	sets := map[string]int{}
	for i, section := range sections {
		for _, rr := range section {
			rrtype := rr.Header().Rrtype
			if sig, ok := rr.(*dns.RRSIG); ok && m.Question[0].Qtype != dns.TypeRRSIG {
				rrtype = sig.TypeCovered
			}
			sets[fmt.Sprintf("section %d, %s %s", i, rr.Header().Name, dns.TypeToString[rrtype])]++
		}
	}
	return sets
}
