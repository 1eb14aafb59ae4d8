package hostile

import (
	"cmp"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

// structures are streams that are not one whole zone.
var structures = []class{
	{name: "cut before the end", script: onAXFR(primary.CutAfter(3)), step: "AXFR", cause: cut},
	{name: "closed at once", script: onAXFR(primary.CutAfter(0)), step: "AXFR", cause: closed},
	{name: "no last SOA", script: sending(func(_ string, r []dns.RR) []dns.RR { return r[:len(r)-1] }), step: "AXFR", cause: stalled},
	{name: "last SOA of another serial", script: onAXFR(primary.FinalSOA(func(s *dns.SOA) { s.Serial++ })), step: "AXFR", cause: structure},
	{name: "last SOA of another content", script: onAXFR(primary.FinalSOA(func(s *dns.SOA) { s.Mbox = "." })), step: "AXFR", cause: structure},
	{name: "last SOA of another owner", script: onAXFR(primary.FinalSOA(func(s *dns.SOA) { s.Hdr.Name = planted + s.Hdr.Name })), step: "AXFR", cause: foreign},
	{name: "last SOA of another class", script: onAXFR(primary.FinalSOA(func(s *dns.SOA) { s.Hdr.Class = dns.ClassCHAOS })), step: "AXFR", cause: foreign},
	{name: "the same SOA between", script: onAXFR(primary.MidSOA(func(*dns.SOA) {})), step: "AXFR", cause: structure},
	{name: "another SOA between", script: onAXFR(primary.MidSOA(func(s *dns.SOA) { s.Serial-- })), step: "AXFR", cause: structure},
	{name: "first record no SOA", script: sending(func(_ string, r []dns.RR) []dns.RR { return r[1:] }), step: "AXFR", cause: structure},
	{name: "a single SOA", script: sending(func(_ string, r []dns.RR) []dns.RR { return r[:1] }), step: "AXFR", cause: stalled},
	{name: "two SOA and nothing else", script: sending(func(_ string, r []dns.RR) []dns.RR { return append(r[:1], r[0]) }), step: "check", cause: noNS},
	{name: "no records", script: sending(func(_ string, r []dns.RR) []dns.RR { return nil }), step: "AXFR", cause: noAnswer},
	{name: "no NS at the apex", script: sending(func(_ string, r []dns.RR) []dns.RR {
		return slices.DeleteFunc(r, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeNS })
	}), step: "check", cause: noNS},
	{name: "more behind the end", script: sending(func(zone string, r []dns.RR) []dns.RR {
		return append(r, record(planted+"%s 60 A 192.0.2.66", zone))
	}), step: "AXFR", cause: structure},
	{name: "more messages behind the end", script: onAXFR(func(e *primary.Exchange) error {
		planting := e.Messages([]dns.RR{record(planted+"%s 60 A 192.0.2.66", e.Question().Name)}, 1)
		for _, m := range append(e.Answer(), planting...) {
			if err := e.Send(m); err != nil {
				return err
			}
		}
		return nil
	})},
}

// strangers are records that do not belong into the zone.
var strangers = []class{
	{name: "name outside", script: planting("planted.%[1]sexample. 60 A 192.0.2.66"), step: "AXFR", cause: foreign},
	{name: "name that ends like the zone's", script: planting("planted%s 60 A 192.0.2.66"), step: "AXFR", cause: foreign},
	{name: "class CH", script: planting("planted.%s 60 CH A 192.0.2.66"), step: "AXFR", cause: foreign},
	{name: "SOA of another owner", script: planting("planted.%s 60 SOA . . 9 1 1 1 1"), step: "AXFR", cause: foreign},
	{name: "type 0", script: plantingType(0), step: "AXFR", cause: foreign},
	{name: "type OPT", script: plantingType(dns.TypeOPT), step: "AXFR", cause: foreign},
	{name: "type TSIG", script: plantingType(dns.TypeTSIG), step: "AXFR", cause: foreign},
	{name: "type ANY", script: plantingType(dns.TypeANY), step: "AXFR", cause: foreign},
	{
		name: "TTL with the top bit", script: planting("negative.%s 4294967295 A 192.0.2.9"), records: plainRecords + 1,
		also: func(t *testing.T, d *harness.Daemon, zone string) {
			m := harness.Ask(t, d.DNS, "negative."+zone, dns.TypeA)
			if len(m.Answer) != 1 || m.Answer[0].Header().Ttl != 0 {
				t.Errorf("want one record of TTL 0, got\n%v", m)
			}
		},
	},
}

// plantingType sends a record of that type, which has no RDATA.
func plantingType(t uint16) func(string) primary.Script {
	return sending(func(zone string, r []dns.RR) []dns.RR {
		rr := &dns.RFC3597{Hdr: dns.RR_Header{Name: planted + zone, Rrtype: t, Class: dns.ClassINET}}
		return slices.Insert(r, len(r)-1, dns.RR(rr))
	})
}

// later changes the message in the middle of a stream of many.
func later(change func(*dns.Msg)) func(string) primary.Script {
	return onAXFR(primary.EachRecord(func(i, n int, m *dns.Msg) *dns.Msg {
		if i == n/2 {
			change(m)
		}
		return m
	}))
}

// octets changes those of every message of an AXFR.
func octets(change func(msg []byte) []byte) func(string) primary.Script {
	return onAXFR(primary.Rewritten(change))
}

// headers are messages that do not answer what was asked, or are none.
var headers = []class{
	{name: "another ID", script: onAXFR(primary.WrongID()), step: "AXFR", cause: notAnswer},
	{name: "another ID later", script: later(func(m *dns.Msg) { m.Id++ }), step: "AXFR", cause: notAnswer},
	{name: "a query", script: later(func(m *dns.Msg) { m.Response = false }), step: "AXFR", cause: notAnswer},
	{name: "another opcode", script: later(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify }), step: "AXFR", cause: notAnswer},
	{name: "another zone's question", script: onAXFR(primary.OtherQuestion(dns.Question{Name: "other.test.", Qtype: dns.TypeAXFR, Qclass: dns.ClassINET})), step: "AXFR", cause: wrongZone},
	{name: "another type's question", script: later(func(m *dns.Msg) { m.SetQuestion("class.test.", dns.TypeMX); m.Response = true }), step: "AXFR", cause: notAnswer},
	{name: "an error code later", script: later(func(m *dns.Msg) { m.Rcode = dns.RcodeServerFailure }), step: "AXFR", cause: servFail},
	{name: "truncated", script: later(func(m *dns.Msg) { m.Truncated = true }), step: "AXFR", cause: malformed},
	{name: "counts too high", script: octets(func(msg []byte) []byte { msg[11]++; return msg }), step: "AXFR", cause: malformed},
	{name: "counts too low", script: onAXFR(primary.LyingCounts(-3)), step: "AXFR", cause: malformed},
	{name: "octets behind the message", script: onAXFR(primary.Trailing(1, 2, 3)), step: "AXFR", cause: malformed},
	{name: "half a header", script: octets(func(msg []byte) []byte { return msg[:6] }), step: "AXFR", cause: malformed},
	{name: "an empty message", script: octets(func([]byte) []byte { return nil }), step: "AXFR", cause: malformed},
	{name: "a cut record", script: octets(func(msg []byte) []byte { return msg[:len(msg)-9] }), step: "AXFR", cause: malformed},
	{name: "a name that refers to itself", script: octets(loop), step: "AXFR", cause: malformed},
	{name: "RDATA of another form", script: sending(func(zone string, r []dns.RR) []dns.RR {
		rr := &dns.RFC3597{Hdr: dns.RR_Header{Name: planted + zone, Rrtype: dns.TypeA, Class: dns.ClassINET}, Rdata: "c00002"}
		return slices.Insert(r, len(r)-1, dns.RR(rr))
	}), step: "AXFR", cause: malformed},
	{name: "no message but octets", script: onAXFR(func(e *primary.Exchange) error {
		return cmp.Or(e.Raw([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")), e.Cut())
	}), step: "AXFR", cause: closed},
	{name: "refused", script: onAXFR(primary.Rcode(dns.RcodeRefused)), step: "AXFR", cause: refused},
	{name: "the zone is not held", script: always(func(e *primary.Exchange) error {
		if e.Question().Qtype == dns.TypeSOA && e.Network == "udp" {
			return primary.Honest(e) // so that the AXFR is asked for; what NOTAUTH means is asked again
		}
		return primary.Rcode(dns.RcodeNotAuth)(e)
	}), step: "AXFR", cause: refused},
	{name: "the whole of another zone", script: onAXFR(primary.WrongZone("other.test.")), step: "AXFR", cause: wrongZone},
}

// loop has the first record's owner refer to itself.
func loop(msg []byte) []byte {
	_, at, err := dns.UnpackDomainName(msg, headerSize)
	if err != nil {
		return nil
	}
	at += 4 // type and class of the question
	binary.BigEndian.PutUint16(msg[at:], 0xC000|uint16(at))
	return msg
}

const headerSize = 12

// before sends by UDP what change makes of each honest answer, and then that
// answer itself.
func before(change func(*dns.Msg)) func(string) primary.Script {
	return onSOA(func(e *primary.Exchange) error {
		for _, m := range e.Answer() {
			stray := m.Copy()
			stray.Answer = []dns.RR{record("%s 60 SOA . . 1 1 1 1 1", e.Question().Name)} // nothing newer
			change(stray)
			if err := cmp.Or(e.Send(stray), e.Send(m)); err != nil {
				return err
			}
		}
		return nil
	})
}

// polls are wrong answers to the SOA query, and serials that lead astray. The
// version served is 1, the newest 4.
var polls = []class{
	{name: "SOA refused", script: onSOA(primary.Rcode(dns.RcodeRefused)), step: "SOA", cause: refused},
	{name: "SOA SERVFAIL", script: onSOA(primary.Rcode(dns.RcodeServerFailure)), step: "SOA", cause: servFail},
	{name: "SOA NOTAUTH", script: onSOA(primary.Rcode(dns.RcodeNotAuth)), step: "SOA", cause: notAuth},
	{name: "SOA never answered", script: onSOA(primary.Silence), step: "SOA", cause: noAnswer},
	{name: "SOA of another zone", script: onSOA(primary.WrongZone("other.test.")), step: "SOA", cause: wrongZone},
	{name: "no SOA", script: onSOA(primary.Rcode(dns.RcodeSuccess)), step: "SOA", cause: noSOA},
	{name: "no authority", script: onSOA(primary.Each(func(_, _ int, m *dns.Msg) *dns.Msg { m.Authoritative = false; return m })), step: "SOA", cause: lame},
	{name: "answers under another ID only", script: onSOA(primary.WrongID()), step: "SOA", cause: notAnswer},
	{name: "truncated by TCP too", script: onSOA(primary.Each(func(_, _ int, m *dns.Msg) *dns.Msg { m.Truncated = true; return m })), step: "SOA", cause: malformed},
	{name: "stray answer of another ID first", script: before(func(m *dns.Msg) { m.Id++ })},
	{name: "stray answer to another question first", script: before(func(m *dns.Msg) { m.Question[0].Name = "other.test." })},
	{name: "stray query first", script: before(func(m *dns.Msg) { m.Response = false })},
	{name: "serial backwards", script: onSOA(primary.WithSerial(0)), step: "check", cause: older},
	{name: "serial half the range ahead", script: onSOA(primary.WithSerial(1 + 1<<31)), step: "check", cause: older},
	{name: "serial more than half the range ahead", script: onSOA(primary.WithSerial(2 + 1<<31)), step: "check", cause: older},
	{name: "newer promised, older sent", script: onAXFR(primary.WithSerial(0)), step: "check", cause: older},
	{name: "newer promised, ours sent", script: onAXFR(primary.WithSerial(1)), step: "check", cause: older},
	{name: "newer promised, half the range ahead sent", script: onAXFR(primary.WithSerial(1 + 1<<31)), step: "check", cause: older},
	{name: "far newer promised than sent", script: onSOA(primary.WithSerial(1 << 30))},
}

// TestTransfer has primaries send streams that are no zone, or not ours.
func TestTransfer(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{Config: quick})
	before := d.PeakMemory(t)
	play(t, d, false, slices.Concat(structures, strangers, names, headers, polls))
	if grown := d.PeakMemory(t) - before; grown > small {
		t.Errorf("needed %d MiB more, for zones of a few records", grown>>20)
	}
}

// small is more memory than a daemon needs for zones of a few records, or for
// what it must not keep.
const small = 64 << 20
