package transfer

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

const nsLine = "example.org. 3600 IN NS ns1.example.org.\n"

// feed gives an axfr the messages and returns the zone that came of them.
func feed(t testing.TB, l Limits, messages ...[]byte) (*zone.Zone, error) {
	t.Helper()
	q := testQuery(t, wire.TypeAXFR)
	a := &axfr{apex: q.apex, seed: testSeed, limits: l.builder(), accept: func(zone.SOA) error { return nil }}
	s := &stream{query: q, into: a}
	for i, m := range messages {
		done, err := s.message(m)
		if err != nil {
			return nil, err
		}
		if done && i < len(messages)-1 {
			t.Fatalf("done after message %d of %d", i+1, len(messages))
		}
	}
	if !a.done {
		return nil, errUnfinished
	}
	z, err := a.builder.Finish()
	if err != nil {
		return nil, err
	}
	return z, guard(z)
}

var errUnfinished = errors.New("the stream has not ended")

func axfrAnswer(t testing.TB, text string) []byte {
	return answer(t, dns.TypeAXFR, records(t, text), nil)
}

func TestAXFRTakes(t *testing.T) {
	t.Parallel()
	short := func(n int) string { // n records, each in a message of its own
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "n%d.example.org. 60 IN A 192.0.2.1\n", i)
		}
		return b.String()
	}
	each := func(text string) (messages [][]byte) {
		for i, rr := range records(t, text) {
			messages = append(messages, answer(t, dns.TypeAXFR, []dns.RR{rr}, func(m *dns.Msg) {
				if i > 0 {
					m.Question = nil
				}
			}))
		}
		return messages
	}
	for _, c := range []struct {
		name     string
		messages [][]byte
		want     map[string]int
	}{
		{"one message", [][]byte{axfrAnswer(t, soaLine+nsLine+soaLine)}, nil},
		{"one record a message", each(soaLine + nsLine + soaLine), nil},
		{"duplicates", [][]byte{axfrAnswer(t, soaLine+nsLine+nsLine+soaLine)}, nil},
		{"any order", each(soaLine + "b.example.org. 60 IN A 192.0.2.1\n" + nsLine + "b.example.org. 60 IN A 192.0.2.2\n" + soaLine), map[string]int{
			"b.example.org. A": 2,
		}},
		{"delegation, glue and occluded data", [][]byte{axfrAnswer(t, soaLine+nsLine+
			"sub.example.org. 60 IN NS ns.sub.example.org.\nns.sub.example.org. 60 IN A 192.0.2.1\nwww.sub.example.org. 60 IN TXT x\n"+soaLine)}, map[string]int{
			"sub.example.org. NS": 1, "ns.sub.example.org. A": 1, "www.sub.example.org. TXT": 1,
		}},
		{"final SOA with another TTL and case", [][]byte{axfrAnswer(t, soaLine+nsLine+
			"Example.ORG. 60 IN SOA NS1.example.org. admin.Example.org. 7 3600 600 86400 60\n")}, nil},
		{"OPT in each message", [][]byte{answer(t, dns.TypeAXFR, records(t, soaLine+nsLine+soaLine), func(m *dns.Msg) { m.SetEdns0(1232, false) })}, nil},
		{"a message without records", [][]byte{axfrAnswer(t, soaLine+nsLine), axfrAnswer(t, ""), axfrAnswer(t, soaLine)}, nil},
		{"no AA", [][]byte{flags(axfrAnswer(t, soaLine+nsLine+soaLine), wire.FlagAA, 0)}, nil},
		{"many records", each(soaLine + nsLine + short(100) + soaLine), func() map[string]int {
			all := map[string]int{}
			for i := range 100 {
				all[fmt.Sprintf("n%d.example.org. A", i)] = 1
			}
			return all
		}()},
		{"a type that nobody knows", [][]byte{axfrAnswer(t, soaLine+nsLine+"x.example.org. 60 IN TYPE65280 \\# 3 010203\n"+soaLine)}, map[string]int{"x.example.org. ": 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			z, err := feed(t, defaultLimits(), c.messages...)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]int{"example.org. SOA": 1, "example.org. NS": 1}
			maps.Copy(want, c.want)
			if diff := cmp.Diff(want, listing(z)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// RFC 2181 section 8: a TTL with the top bit set is zero.
func TestAXFRNegativeTTL(t *testing.T) {
	t.Parallel()
	rrs := records(t, soaLine+nsLine+soaLine)
	rrs[1].Header().Ttl = 1<<31 + 5
	z, err := feed(t, defaultLimits(), answer(t, dns.TypeAXFR, rrs, nil))
	if err != nil {
		t.Fatal(err)
	}
	if set, _ := z.Top().Set(wire.TypeNS); set.TTL != 0 {
		t.Errorf("got TTL %d, want 0", set.TTL)
	}
}

func TestAXFRRefuses(t *testing.T) {
	t.Parallel()
	whole := soaLine + nsLine + soaLine
	meta := func(rrtype uint16) []byte {
		rr := &dns.RFC3597{Hdr: dns.RR_Header{Name: "x.example.org.", Rrtype: rrtype, Class: dns.ClassINET}, Rdata: "00"}
		rrs := records(t, whole)
		return answer(t, dns.TypeAXFR, []dns.RR{rrs[0], rrs[1], rr, rrs[2]}, nil)
	}
	later := func(change func(*dns.Msg)) [][]byte {
		return [][]byte{axfrAnswer(t, soaLine+nsLine), answer(t, dns.TypeAXFR, records(t, soaLine), change)}
	}
	const other = "example.org. 3600 IN SOA ns1.example.org. admin.example.org. 8 3600 600 86400 60\n"
	for _, c := range []struct {
		name     string
		messages [][]byte
		step     Step
		want     Cause
	}{
		// Structure.
		{"the first record is no SOA", [][]byte{axfrAnswer(t, nsLine+soaLine)}, StepAXFR, CauseStructure},
		{"the first SOA is another zone's", [][]byte{axfrAnswer(t, "example.net. 60 IN SOA a. b. 1 2 3 4 5\n"+nsLine)}, StepAXFR, CauseWrongZone},
		{"the first SOA is a parent's", [][]byte{axfrAnswer(t, "org. 60 IN SOA a. b. 1 2 3 4 5\n"+nsLine)}, StepAXFR, CauseWrongZone},
		{"the last SOA has another serial", [][]byte{axfrAnswer(t, soaLine+nsLine+other)}, StepAXFR, CauseStructure},
		{"the last SOA has other content", [][]byte{axfrAnswer(t, soaLine+nsLine+strings.Replace(soaLine, "86400", "86401", 1))}, StepAXFR, CauseStructure},
		{"the last SOA has another owner", [][]byte{axfrAnswer(t, soaLine+nsLine+"sub."+soaLine)}, StepAXFR, CauseForeign},
		{"another SOA in the middle", [][]byte{axfrAnswer(t, soaLine+other+nsLine+soaLine)}, StepAXFR, CauseStructure},
		{"the SOA in the middle", [][]byte{axfrAnswer(t, soaLine+soaLine+nsLine+soaLine)}, StepAXFR, CauseStructure},
		{"records after the end", [][]byte{axfrAnswer(t, whole+"x.example.org. 60 IN A 192.0.2.1\n")}, StepAXFR, CauseStructure},
		{"a SOA below the apex", [][]byte{axfrAnswer(t, soaLine+nsLine+"sub."+soaLine+soaLine)}, StepAXFR, CauseForeign},
		{"nothing but SOAs", [][]byte{axfrAnswer(t, soaLine+soaLine)}, StepCheck, CauseNoNS},
		{"no NS at the apex", [][]byte{axfrAnswer(t, soaLine+"sub."+nsLine+soaLine)}, StepCheck, CauseNoNS},
		// Foreign data.
		{"out of zone", [][]byte{axfrAnswer(t, soaLine+nsLine+"www.example.net. 60 IN A 192.0.2.1\n"+soaLine)}, StepAXFR, CauseForeign},
		{"out of zone by half a label", [][]byte{axfrAnswer(t, soaLine+nsLine+"xexample.org. 60 IN A 192.0.2.1\n"+soaLine)}, StepAXFR, CauseForeign},
		{"above the zone", [][]byte{axfrAnswer(t, soaLine+nsLine+"org. 60 IN A 192.0.2.1\n"+soaLine)}, StepAXFR, CauseForeign},
		{"class CH", [][]byte{axfrAnswer(t, soaLine+nsLine+"x.example.org. 60 CH A 192.0.2.1\n"+soaLine)}, StepAXFR, CauseForeign},
		{"SOA of class CH at the end", [][]byte{axfrAnswer(t, soaLine+nsLine+strings.Replace(soaLine, " IN ", " CH ", 1))}, StepAXFR, CauseForeign},
		{"type 0", [][]byte{meta(0)}, StepAXFR, CauseForeign},
		{"type TKEY", [][]byte{meta(dns.TypeTKEY)}, StepAXFR, CauseForeign},
		{"type AXFR", [][]byte{meta(dns.TypeAXFR)}, StepAXFR, CauseForeign},
		{"type ANY", [][]byte{meta(dns.TypeANY)}, StepAXFR, CauseForeign},
		{"type OPT among the answers", [][]byte{meta(dns.TypeOPT)}, StepAXFR, CauseForeign},
		// Header, on every message.
		{"another id later", later(func(m *dns.Msg) { m.Id++ }), StepAXFR, CauseNotAnswer},
		{"QR clear later", later(func(m *dns.Msg) { m.Response = false }), StepAXFR, CauseNotAnswer},
		{"another opcode later", later(func(m *dns.Msg) { m.Opcode = dns.OpcodeUpdate }), StepAXFR, CauseNotAnswer},
		{"another question later", later(func(m *dns.Msg) { m.Question[0].Name = "example.net." }), StepAXFR, CauseWrongZone},
		{"SERVFAIL later", later(func(m *dns.Msg) { m.Rcode = dns.RcodeServerFailure }), StepAXFR, CauseServFail},
		{"REFUSED later", later(func(m *dns.Msg) { m.Rcode = dns.RcodeRefused }), StepAXFR, CauseRefused},
		{"TC", [][]byte{flags(axfrAnswer(t, whole), 0, wire.FlagTC)}, StepAXFR, CauseMalformed},
		// Counts and octets.
		{"fewer answers than announced", [][]byte{count(axfrAnswer(t, whole), 6, 1)}, StepAXFR, CauseMalformed},
		{"more answers than announced", [][]byte{count(axfrAnswer(t, soaLine+nsLine), 6, -1)}, StepAXFR, CauseMalformed},
		{"an additional record that is not there", [][]byte{count(axfrAnswer(t, whole), 10, 1)}, StepAXFR, CauseMalformed},
		{"trailing octets", [][]byte{append(axfrAnswer(t, whole), 0)}, StepAXFR, CauseMalformed},
		{"cut inside a record", [][]byte{axfrAnswer(t, whole)[:60]}, StepAXFR, CauseMalformed},
		{"an A record of three octets", [][]byte{bytes.Replace(axfrAnswer(t, soaLine+nsLine+"x.example.org. 60 IN TYPE65280 \\# 3 010203\n"+soaLine), []byte{0xFF, 0, 0, 1}, []byte{0, 1, 0, 1}, 1)}, StepAXFR, CauseMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := feed(t, defaultLimits(), c.messages...)
			if errors.Is(err, errUnfinished) {
				t.Fatal("nothing was refused")
			}
			if e := classify(StepAXFR, err); err == nil || e.Step != c.step || e.Cause != c.want {
				t.Errorf("got %v\nwant %s: %s", err, c.step, c.want)
			}
		})
	}
}

func TestAXFRLimits(t *testing.T) {
	t.Parallel()
	addresses := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "many.example.org. 60 IN A 10.0.%d.%d\n", i/256, i%256)
		}
		return b.String()
	}
	types := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "many.example.org. 60 IN TYPE%d \\# 1 00\n", 65280+i)
		}
		return b.String()
	}
	for _, c := range []struct {
		name   string
		text   string
		change func(*Limits)
		over   bool
	}{
		{"1000 records in an RRset", addresses(1000), nil, false},
		{"1001 records in an RRset", addresses(1001), nil, true},
		{"1001 in two pieces", addresses(600) + "x.example.org. 60 IN A 192.0.2.1\n" + addresses(1001), nil, true},
		{"100 types at a name", types(100), nil, false},
		{"101 types at a name", types(101), nil, true},
		{"records in the zone", addresses(8), func(l *Limits) { l.Records = 10 }, false},
		{"one record more", addresses(9), func(l *Limits) { l.Records = 10 }, true},
		{"memory", addresses(500), func(l *Limits) { l.Bytes = 500 }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			l := defaultLimits()
			if c.change != nil {
				c.change(&l)
			}
			_, err := feed(t, l, axfrAnswer(t, soaLine+nsLine+c.text+soaLine))
			if c.over {
				wantFailure(t, err, StepAXFR, CauseLimit)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// The first SOA decides whether the rest is wanted: nothing of a refused stream
// is kept.
func TestAXFRAsksFirst(t *testing.T) {
	t.Parallel()
	refusal := errors.New("not wanted")
	var asked zone.SOA
	q := testQuery(t, wire.TypeAXFR)
	a := &axfr{apex: q.apex, seed: testSeed, accept: func(soa zone.SOA) error {
		asked = soa
		return refusal
	}}
	if _, err := (&stream{query: q, into: a}).message(axfrAnswer(t, soaLine+nsLine+soaLine)); !errors.Is(err, refusal) {
		t.Errorf("got %v, want the refusal", err)
	}
	if asked.Serial != 7 || a.builder != nil {
		t.Errorf("asked with serial %d and builder %v, want 7 and none", asked.Serial, a.builder)
	}
}
