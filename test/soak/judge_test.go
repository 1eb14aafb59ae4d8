package soak

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// judge says what is wrong with an answer of a zone that is served: NOERROR or
// NXDOMAIN, not truncated.
type judge func(z *zone, m *dns.Msg, floor uint32) error

// kind is a name in each zone of a style.
type kind struct {
	label string // with the last dot, empty for the apex
	qtype uint16
	judge judge
}

var everywhere = []kind{
	{"", dns.TypeSOA, judgeSOA},
	{"", dns.TypeANY, judgeWhole},
	{"", dns.TypeNS, answered},
	{"stamp.", dns.TypeTXT, judgeStamp},
	{"stamp.", dns.TypeANY, answered},
	{"stamp.", dns.TypeAAAA, judgeNoData},
	{"even.", dns.TypeTXT, judgeEven},
	{"no-such-name.", dns.TypeA, judgeMissing},
	{"a.b.c.no-such-name.", dns.TypeANY, judgeMissing},
}

var kindsOf = map[style][]kind{
	small: {
		{"www.", dns.TypeA, answered},
		{"hundred.", dns.TypeA, answered},
		{"big-txt.", dns.TypeTXT, answered},
		{"", dns.TypeMX, answered},
		{"chain.", dns.TypeA, answered},
		{"chain-out.", dns.TypeA, answered},
		{"any.wild.", dns.TypeA, answered},
		{"a.dname.", dns.TypeA, answered},
		{"leaf.empty.non.terminal.", dns.TypeA, answered},
		{"empty.non.terminal.", dns.TypeA, judgeNoData},
		{"host.cut.", dns.TypeAAAA, referred},
		{"cut.ent.", dns.TypeA, referred},
		{"_sip._tcp.", dns.TypeSRV, answered},
	},
	large: {
		{"ns1.", dns.TypeA, answered},
		{"x.wild7.", dns.TypeA, answered},
		{"cut3.", dns.TypeA, referred},
		{"h0.", dns.TypeAAAA, answered},
		{"mail1.", dns.TypeMX, answered},
		{"alias4.", dns.TypeA, answered},
	},
	signed: {
		{"www.", dns.TypeA, judgeSigned},
		{"", dns.TypeDNSKEY, judgeSigned},
		{"ns1.", dns.TypeAAAA, judgeNoData},
		{"x.www.", dns.TypeA, judgeMissing},
	},
}

// outside are names that no zone holds.
var outside = []struct {
	name  string
	qtype uint16
	class uint16
	judge judge
}{
	{"www.elsewhere.example.", dns.TypeA, dns.ClassINET, refused},
	{".", dns.TypeNS, dns.ClassINET, refused},
	{"soak.test.", dns.TypeSOA, dns.ClassINET, refused},
	{"id.server.", dns.TypeTXT, dns.ClassCHAOS, answered},
	{"version.bind.", dns.TypeTXT, dns.ClassCHAOS, refused},
}

func answered(_ *zone, m *dns.Msg, _ uint32) error {
	if m.Rcode != dns.RcodeSuccess || !m.Authoritative || len(m.Answer) == 0 {
		return errors.New("no authoritative answer")
	}
	return nil
}

func refused(_ *zone, m *dns.Msg, _ uint32) error {
	if m.Rcode != dns.RcodeRefused || m.Authoritative || len(m.Answer)+len(m.Ns) > 0 {
		return errors.New("not refused")
	}
	return nil
}

func referred(_ *zone, m *dns.Msg, _ uint32) error {
	if m.Rcode != dns.RcodeSuccess || m.Authoritative || len(m.Answer) > 0 || len(m.Ns) == 0 {
		return errors.New("no referral")
	}
	return nil
}

func judgeSOA(z *zone, m *dns.Msg, floor uint32) error {
	soa, ok := soaOf(m.Answer)
	if !ok {
		return errors.New("no SOA")
	}
	return errors.Join(answered(z, m, floor), z.observe(soa.Serial, floor))
}

// judgeWhole compares two RRsets that tell the serial.
func judgeWhole(z *zone, m *dns.Msg, floor uint32) error {
	soa, ok := soaOf(m.Answer)
	if !ok {
		return errors.New("no SOA")
	}
	if !slices.ContainsFunc(m.Answer, func(rr dns.RR) bool { return textOf(rr) == fmt.Sprint(serialPrefix, soa.Serial) }) {
		return errors.New("SOA and TXT are not of one version")
	}
	return errors.Join(answered(z, m, floor), z.observe(soa.Serial, floor))
}

func judgeStamp(z *zone, m *dns.Msg, floor uint32) error {
	if err := answered(z, m, floor); err != nil {
		return err
	}
	serial, err := strconv.ParseUint(textOf(m.Answer[0]), 10, 32)
	return errors.Join(err, z.observe(uint32(serial), floor))
}

// judgeEven knows that the name is there in every second version.
func judgeEven(z *zone, m *dns.Msg, floor uint32) error {
	if m.Rcode == dns.RcodeSuccess {
		return judgeStamp(z, m, floor) // its text says an even serial
	}
	if soa, ok := soaOf(m.Ns); ok && soa.Serial%2 == 0 {
		return errors.New("the name is there in the version of the SOA")
	}
	return judgeMissing(z, m, floor)
}

func judgeMissing(z *zone, m *dns.Msg, floor uint32) error {
	if m.Rcode != dns.RcodeNameError {
		return errors.New("want NXDOMAIN")
	}
	return judgeNothing(z, m, floor)
}

func judgeNoData(z *zone, m *dns.Msg, floor uint32) error {
	if m.Rcode != dns.RcodeSuccess {
		return errors.New("want NOERROR without data")
	}
	return judgeNothing(z, m, floor)
}

func judgeNothing(z *zone, m *dns.Msg, floor uint32) error {
	soa, ok := soaOf(m.Ns)
	if !ok || !m.Authoritative || len(m.Answer) > 0 {
		return errors.New("want an authoritative answer with nothing but a SOA")
	}
	return z.observe(soa.Serial, floor)
}

func judgeSigned(z *zone, m *dns.Msg, floor uint32) error {
	want := m.IsEdns0() != nil && m.IsEdns0().Do()
	got := slices.ContainsFunc(m.Answer, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeRRSIG })
	if got != want {
		return fmt.Errorf("signatures %t, want %t", got, want)
	}
	return answered(z, m, floor)
}

func soaOf(records []dns.RR) (*dns.SOA, bool) {
	for _, rr := range records {
		if soa, ok := rr.(*dns.SOA); ok {
			return soa, true
		}
	}
	return nil, false
}

// textOf is the text of a TXT record, empty for others.
func textOf(rr dns.RR) string {
	if t, ok := rr.(*dns.TXT); ok {
		return strings.Join(t.Txt, "")
	}
	return ""
}
