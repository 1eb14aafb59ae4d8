package primary

import (
	"strings"

	"github.com/miekg/dns"
)

// batchOctets is about how much one message of an AXFR holds.
const batchOctets = 16000

// Answer makes the honest answer to the request: one message, or the stream of
// an AXFR. A request whose TSIG failed has none: see Exchange.Fail.
func (e *Exchange) Answer() []*dns.Msg {
	q := e.Request.Question[0]
	if e.Request.Opcode != dns.OpcodeQuery {
		return []*dns.Msg{e.reply(dns.RcodeNotImplemented)}
	}
	if q.Qtype == dns.TypeAXFR || q.Qtype == dns.TypeIXFR {
		return e.transfer(q)
	}
	c := e.server.enclosing(q.Name)
	if c == nil || q.Qclass != dns.ClassINET {
		return []*dns.Msg{e.reply(dns.RcodeRefused)}
	}
	m := c.look(e.reply(dns.RcodeSuccess), q)
	if e.Network == "udp" {
		m.Truncate(e.udpSize())
	}
	return []*dns.Msg{m}
}

// reply is an empty answer. It has an OPT record when the request had one.
func (e *Exchange) reply(rcode int) *dns.Msg {
	m := new(dns.Msg).SetRcode(e.Request, rcode)
	m.Compress = true
	if e.Request.IsEdns0() != nil {
		m.SetEdns0(1232, false)
	}
	return m
}

func (e *Exchange) udpSize() int {
	size := dns.MinMsgSize
	if opt := e.Request.IsEdns0(); opt != nil {
		size = max(size, min(int(opt.UDPSize()), 1232))
	}
	if e.Signed {
		size -= 200 // the TSIG record comes on top
	}
	return size
}

// transfer is the stream of an AXFR (RFC 5936 section 2.2) or of an IXFR. By UDP
// the latter gets the SOA alone, which says whether to come by TCP (RFC 1995
// section 2).
func (e *Exchange) transfer(q dns.Question) []*dns.Msg {
	c := e.server.content(q.Name)
	switch {
	case e.Network == "udp" && q.Qtype == dns.TypeAXFR:
		return []*dns.Msg{e.reply(dns.RcodeNotImplemented)}
	case c == nil:
		return []*dns.Msg{e.reply(dns.RcodeNotAuth)}
	case c.key != "" && (!e.Signed || c.key != dns.CanonicalName(e.key.Name)):
		return []*dns.Msg{e.reply(dns.RcodeRefused)}
	}
	if e.Network == "udp" {
		return e.Messages([]dns.RR{c.soa}, batchOctets)
	}
	if ours, ok := e.clientSerial(); ok && q.Qtype == dns.TypeIXFR {
		return e.Messages(c.since(ours), batchOctets)
	}
	return e.Messages(c.all(), batchOctets)
}

// clientSerial is the serial of the version that an IXFR client says it has.
func (e *Exchange) clientSerial() (uint32, bool) {
	for _, rr := range e.Request.Ns {
		if soa, ok := rr.(*dns.SOA); ok {
			return soa.Serial, true
		}
	}
	return 0, false
}

// Messages puts records into answers of at most about so many octets, at least
// one record in each. Only the first has the question.
func (e *Exchange) Messages(records []dns.RR, octets int) []*dns.Msg {
	var messages []*dns.Msg
	size := octets
	for _, rr := range records {
		if size >= octets {
			m := e.reply(dns.RcodeSuccess)
			m.Authoritative = true
			if messages != nil {
				m.Question = nil
			}
			messages, size = append(messages, m), 0
		}
		last := messages[len(messages)-1]
		last.Answer = append(last.Answer, rr)
		size += dns.Len(rr)
	}
	return messages
}

// look fills in what the zone holds at exactly q.Name.
func (c *content) look(m *dns.Msg, q dns.Question) *dns.Msg {
	m.Authoritative = true
	name := dns.CanonicalName(q.Name)
	exists := name == c.name
	for _, rr := range append([]dns.RR{c.soa}, c.records...) {
		owner := dns.CanonicalName(rr.Header().Name)
		exists = exists || strings.HasSuffix(owner, "."+name)
		if owner != name {
			continue
		}
		exists = true
		if t := rr.Header().Rrtype; t == q.Qtype || t == dns.TypeCNAME || q.Qtype == dns.TypeANY {
			m.Answer = append(m.Answer, rr)
		}
	}
	if len(m.Answer) > 0 {
		return m
	}
	if !exists {
		m.Rcode = dns.RcodeNameError
	}
	soa := dns.Copy(c.soa).(*dns.SOA)
	soa.Hdr.Ttl = min(soa.Hdr.Ttl, soa.Minttl) // RFC 2308 section 3
	m.Ns = []dns.RR{soa}
	return m
}
