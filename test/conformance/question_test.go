package conformance

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
)

// question is one query in one form.
type question struct {
	world *served
	zone  *zone
	name  wire.Name // in lower case
	qtype uint16
	form  *form
}

// form is how a question is sent.
type form struct {
	name  string
	dig   string // as options of dig
	tcp   bool
	size  uint16 // what EDNS offers; 0 is a query without EDNS
	do    bool
	flags uint16 // of the header
	mixed bool   // every second letter of the name in upper case
}

const (
	flagRD = 1 << 8
	flagZ  = 1 << 6
	flagAD = 1 << 5
	flagCD = 1 << 4
)

// forms are all used at the names of a zone. Next to them it is the first
// probeForms of them.
var forms = []form{
	{name: "udp", dig: "+bufsize=1232", size: 1232},
	{name: "udp-do", dig: "+dnssec +bufsize=1232", size: 1232, do: true},
	{name: "tcp-do", dig: "+tcp +dnssec", tcp: true, size: 1232, do: true},
	{name: "mixed-do", dig: "+dnssec +bufsize=1232", size: 1232, do: true, mixed: true},
	{name: "udp-plain", dig: "+noedns"},
	{name: "udp-512", dig: "+bufsize=512", size: 512},
	{name: "udp-512-do", dig: "+dnssec +bufsize=512", size: 512, do: true},
	{name: "udp-4096-do", dig: "+dnssec +bufsize=4096", size: 4096, do: true},
	{name: "tcp", dig: "+tcp", tcp: true, size: 1232},
	{name: "flags-do", dig: "+dnssec +bufsize=1232 +rd +ad +cd", size: 1232, do: true, flags: flagRD | flagAD | flagCD},
	{name: "z", dig: "+bufsize=1232 +zflag", size: 1232, flags: flagZ},
}

const probeForms = 4

// overTCP is the form by which an answer is seen whole.
func (f *form) overTCP() *form {
	whole := *f
	whole.tcp = true
	return &whole
}

// limit is the largest answer by UDP: what the client offers, 512 without EDNS
// (RFC 1035 section 4.2.1) and our default bound.
func (f *form) limit() int { return max(512, min(int(f.size), 1232)) }

// String is the question as a line for dig, without server and port.
func (q *question) String() string {
	options := q.form.dig
	if q.form.flags&flagRD == 0 {
		options += " +nordflag"
	}
	// dig and the shell both take a backslash away.
	return fmt.Sprintf("dig +noadflag +nocookie %s -q '%s' -t %s", options, q.sent(), dns.Type(q.qtype))
}

// sent is the name as it is sent.
func (q *question) sent() wire.Name {
	if !q.form.mixed {
		return q.name
	}
	name := slices.Clone(q.name)
	for i, c := range name {
		if i%2 == 1 && 'a' <= c && c <= 'z' {
			name[i] = c - 'a' + 'A'
		}
	}
	return name
}

// pack makes the message.
func (q *question) pack(id uint16) []byte {
	msg := binary.BigEndian.AppendUint16(nil, id)
	msg = binary.BigEndian.AppendUint16(msg, q.form.flags)
	additional := byte(0)
	if q.form.size > 0 {
		additional = 1
	}
	msg = append(msg, 0, 1, 0, 0, 0, 0, 0, additional)
	msg = append(msg, q.sent()...)
	msg = binary.BigEndian.AppendUint16(msg, q.qtype)
	msg = binary.BigEndian.AppendUint16(msg, dns.ClassINET)
	if q.form.size == 0 {
		return msg
	}
	msg = append(msg, 0, 0, byte(dns.TypeOPT))
	msg = binary.BigEndian.AppendUint16(msg, q.form.size)
	flags := uint16(0)
	if q.form.do {
		flags = 1 << 15
	}
	msg = append(msg, 0, 0)
	msg = binary.BigEndian.AppendUint16(msg, flags)
	return append(msg, 0, 0)
}

// absentType is a type that no zone has.
const absentType = 65399

// special are the types that servers treat in a way of their own; each is asked
// at each name of a zone and next to it.
var special = []uint16{
	dns.TypeA, dns.TypeNS, dns.TypeCNAME, dns.TypeSOA, dns.TypeDNAME, dns.TypeDS,
	dns.TypeDNSKEY, dns.TypeNSEC, dns.TypeRRSIG, dns.TypeANY, absentType,
}

// atNames are asked at the names of a zone only.
var atNames = []uint16{dns.TypeAAAA, dns.TypeMX, dns.TypeTXT, dns.TypeNSEC3, dns.TypeNSEC3PARAM, dns.TypePTR}

// questionsOf makes all questions about the zones, each once, in a fixed order.
func questionsOf(zones []*zone) []question {
	var all []question
	world := newServed(zones)
	for _, z := range zones {
		asked := make(map[string]bool)
		ask := func(n wire.Name, forms []form, types ...[]uint16) {
			if len(n) > wire.MaxName || asked[string(n)] {
				return
			}
			asked[string(n)] = true
			for _, qtype := range slices.Compact(slices.Sorted(slices.Values(slices.Concat(types...)))) {
				for i := range forms {
					all = append(all, question{world, z, n, qtype, &forms[i]})
				}
			}
		}
		for _, n := range z.names() {
			ask(n, forms, z.owners[string(n)], special, atNames)
		}
		for _, n := range z.names() {
			if hashed := z.owners[string(n)]; slices.Contains(hashed, dns.TypeNSEC3) {
				continue // no name of the zone (RFC 5155 section 7.2.8)
			}
			for _, probe := range z.probes(n) {
				ask(probe, forms[:probeForms], z.owners[string(append(wire.Name{1, '*'}, probe.Parent()...))], special)
			}
		}
	}
	return all
}

// probes are names next to n that the zone mostly does not have.
func (z *zone) probes(n wire.Name) []wire.Name {
	all := []wire.Name{
		child("probe", n), child("two", child("probe", n)), child("*", n), child("\x00", n),
	}
	if len(n) == len(z.apex) {
		return all
	}
	label, parent := string(n[1:n[0]+1]), n.Parent()
	all = append(all, child("probe", parent), child("*", parent))
	if len(label) < wire.MaxLabel {
		all = append(all, child(label+"\x00", parent)) // just behind all that is below n
	}
	if before, ok := lessByOne(label); ok {
		all = append(all, child(before, parent), child(before+"\xff", parent))
	}
	return all
}

// lessByOne is label with its last octet one less, as long as that leaves room for
// an octet more.
func lessByOne(label string) (string, bool) {
	last := len(label) - 1
	if label[last] == 0 || len(label) == wire.MaxLabel {
		return "", false
	}
	before := label[last] - 1
	if 'A' <= before && before <= 'Z' { // those sort as lower case
		before = 'A' - 1
	}
	return label[:last] + string([]byte{before}), true
}

func child(label string, parent wire.Name) wire.Name {
	return append(append(wire.Name{byte(len(label))}, label...), parent...)
}

// sample picks about n of the questions, always the same ones.
func sample(all []question, n int) []question {
	every := uint64(max(1, len(all)/n))
	return slices.DeleteFunc(all, func(q question) bool {
		h := fnv.New64a()
		fmt.Fprintf(h, "%s %d %s", q.name, q.qtype, q.form.name)
		return h.Sum64()>>32%every != 0 // the low bits are poor
	})
}
