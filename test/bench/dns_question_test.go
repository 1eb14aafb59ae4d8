package bench

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// A kind of question is how it is answered.
type kind int

const (
	hit kind = iota
	noData
	nxDomain
	referral
	delegationSigner
	wildcard
	kinds // how many there are
)

// A question is one to any zone of the same master file; its name is relative
// to the zone, "@" for the zone's own.
type question struct {
	name  string
	qtype uint16
}

// pools are the questions that a master file has answers for, by kind. Those of
// referrals and wildcards lack the first label, and NXDOMAIN needs none.
type pools [kinds][]question

// An owner is a name of a master file with the types of its records.
type owner struct {
	name  string
	types []string
}

func (o *owner) has(rrtype string) bool {
	return slices.Contains(o.types, rrtype)
}

// readOwners reads a master file whose names are relative, one record a line.
func readOwners(text string) (inOrder []*owner, byName map[string]*owner) {
	byName = map[string]*owner{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[0][0] == '$' {
			continue
		}
		rrtype := fields[1]
		if _, err := strconv.Atoi(rrtype); err == nil {
			rrtype = fields[2] // after a TTL
		}
		o := byName[fields[0]]
		if o == nil {
			o = &owner{name: strings.Clone(fields[0])}
			byName[o.name], inOrder = o, append(inOrder, o)
		}
		if !o.has(rrtype) {
			o.types = append(o.types, strings.Clone(rrtype))
		}
	}
	return inOrder, byName
}

// readPools makes pools of a master file as readOwners reads it.
func readPools(text string) pools {
	var p pools
	inOrder, byName := readOwners(text)
	for _, o := range inOrder {
		pattern, isWildcard := strings.CutPrefix(o.name, "*.")
		switch {
		case belowCut(o.name, byName):
		case o.name != "@" && o.has("NS"):
			p[referral] = append(p[referral], question{name: o.name})
			if o.has("DS") {
				p[delegationSigner] = append(p[delegationSigner], question{o.name, dns.TypeDS})
			}
		case isWildcard:
			p[wildcard] = append(p[wildcard], question{pattern, dns.StringToType[o.types[0]]})
		case o.has("CNAME"):
			p[hit] = append(p[hit], question{o.name, dns.TypeA})
		default:
			p.addPlain(o)
		}
	}
	return p
}

func (p *pools) addPlain(o *owner) {
	for _, text := range o.types {
		if rrtype, known := dns.StringToType[text]; known {
			p[hit] = append(p[hit], question{o.name, rrtype})
		}
	}
	if !o.has("HTTPS") {
		p[noData] = append(p[noData], question{o.name, dns.TypeHTTPS})
	}
}

func belowCut(name string, byName map[string]*owner) bool {
	for _, parent, ok := strings.Cut(name, "."); ok; _, parent, ok = strings.Cut(parent, ".") {
		if o := byName[parent]; o != nil && o.has("NS") {
			return true
		}
	}
	return false
}

// shares are the per cent of all questions that each kind has; hits have the
// rest.
type shares [kinds]int

func (s shares) draw(random *rand.Rand) kind {
	at := random.IntN(100)
	for k := range kinds {
		if at -= s[k]; at < 0 {
			return k
		}
	}
	return hit
}

// draw returns a random question of a random kind.
func (p *pools) draw(random *rand.Rand, s shares) question {
	k := s.draw(random)
	var q question
	if k != nxDomain {
		q = p[k][random.IntN(len(p[k]))]
	}
	switch k {
	case referral:
		return question{"www." + q.name, address(random)}
	case wildcard:
		return question{letters(random) + "." + q.name, q.qtype}
	case nxDomain:
		name := letters(random) + "-" + letters(random)
		if random.IntN(2) == 0 {
			name = "www." + name
		}
		return question{name, address(random)}
	default:
		return q
	}
}

func address(random *rand.Rand) uint16 {
	if random.IntN(2) == 0 {
		return dns.TypeAAAA
	}
	return dns.TypeA
}

func letters(random *rand.Rand) string {
	b := make([]byte, 4+random.IntN(8))
	for i := range b {
		b[i] = 'a' + byte(random.IntN(26))
	}
	return string(b)
}

// ednsSize is what is offered for an answer (RFC 9715).
const ednsSize = 1232

// query is the message that asks a zone; with DO it has EDNS, else it doesn't, as
// dnsperf has it.
func (q question) query(zone string, do bool) ([]byte, error) {
	name := zone
	if q.name != "@" {
		name = q.name + "." + zone
	}
	m := new(dns.Msg).SetQuestion(name, q.qtype)
	m.Id, m.RecursionDesired = 0, false // whoever sends it sets another ID
	if do {
		m.SetEdns0(ednsSize, true)
	}
	return m.Pack()
}

// stream joins messages as TCP carries them, which is also the form of a query
// file for dnsperf -B.
func stream(queries [][]byte) []byte {
	var all []byte
	for _, query := range queries {
		all = binary.BigEndian.AppendUint16(all, uint16(len(query)))
		all = append(all, query...)
	}
	return all
}
