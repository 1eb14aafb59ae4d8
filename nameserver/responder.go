// Package nameserver answers DNS queries for the zones of the store over UDP
// and TCP, and takes NOTIFY messages and hands them on.
//
// The answering itself is bytes in, bytes out: a responder parses a query in
// place and writes the answer straight into the outgoing buffer, without I/O,
// locks or allocations; its files follow RFC 1034 section 4.3.2 step by step.
// Around it stand the listeners, which own every goroutine and end them all
// before Run returns. A query sees one version of one zone from first to last.
// A responder belongs to one goroutine at a time; a Server is safe for
// concurrent use.
package nameserver

import (
	"net/netip"
	"time"

	"secondaryd/internal/wire"
	"secondaryd/metrics"
	"secondaryd/zonestore"
	"secondaryd/zonestore/zone"
)

// Transport is how a message came.
type Transport = metrics.Transport

// The transports.
const (
	UDP = metrics.UDP
	TCP = metrics.TCP
)

// Zones finds the zone that a name belongs to; zonestore.Store is one.
type Zones interface {
	// Seed is what the suffixes given to Find are computed with.
	Seed() uint64
	// Find returns the deepest configured zone whose name is a suffix of the
	// name, at or behind label from, and the label where its name begins; nil
	// if there is none. It must neither block nor allocate.
	Find(name *wire.Suffixes, from int) (served *zonestore.Served, depth int)
}

// Response codes (RFC 1035 section 4.1.1, RFC 2136 section 2.2, RFC 6891 section 9).
const (
	rcodeNoError  = 0
	rcodeFormErr  = 1
	rcodeServFail = 2
	rcodeNXDomain = 3
	rcodeNotImp   = 4
	rcodeRefused  = 5
	rcodeYXDomain = 6
	rcodeNotAuth  = 9

	rcodeBadVers   = 16
	rcodeBadCookie = 23 // RFC 7873 section 8
)

// profile is what all responders of a server have in common: how it presents
// itself and what it grants.
type profile struct {
	udpSize   int        // octets of the largest answer over UDP
	identity  string     // answers id.server and hostname.bind unless empty
	nsid      []byte     // none if empty
	agent     wire.Name  // error reporting agent; none if empty
	keepalive uint16     // idle timeout of TCP, in keepaliveUnit
	anyFull   bool       // QTYPE ANY gets all RRsets
	cookies   *cookieJar // nil if cookies are ignored
	limits    bool       // answers are rate limited
}

// arrival is what is known of a message besides its octets.
type arrival struct {
	transport Transport
	client    netip.AddrPort // IPv4 as such, never mapped into IPv6
	at        time.Time
	foreseen  *foreseen // nil: nobody looked ahead
}

// A responder answers messages, one at a time. It holds all the memory that
// answering needs.
type responder struct {
	profile
	zones    Zones
	notifies *notifyDesk
	seed     uint64

	// The message at hand and what is known of its answer.
	*arrival
	query     query
	msg       message
	size      int // octets that the whole answer may have
	rcode     int
	aa        bool
	truncated bool // something required did not fit
	cut       section
	extended  extendedError
	alike     uint64 // of answers that resemble each other; see resembles

	// The options of the answer.
	gives      optionSet
	cookie     cookie
	cookieGood bool   // the query's server cookie
	expire     uint32 // seconds

	// The name being looked up: the query name, then the targets of aliases.
	asked     *zonestore.Served // the zone of the query name, nil before it is known and if there is none
	served    *zonestore.Served
	zone      *zone.Zone     // its version
	current   wire.Name      // case as received
	names     *wire.Suffixes // of its folded form: those that were foreseen, or its own
	own       wire.Suffixes
	folded    [wire.MaxName]byte
	aliases   aliases
	additions additions
	proofs    proofs
	wild      [wire.MaxName + 2]byte // a wildcard name
}

func newResponder(zones Zones, notifies *notifyDesk, p profile) *responder {
	r := &responder{profile: p, zones: zones, notifies: notifies, seed: zones.Seed()}
	r.msg.names.seed = r.seed
	return r
}

// answer returns the answer to msg, written to out's memory, or nil if silence
// is the answer. It may change msg, and holds on
// to the arrival until the next call. Nothing is allocated for queries as long as
// out has room for the largest answer that the transport allows.
func (r *responder) answer(msg []byte, from *arrival, out []byte) []byte {
	r.arrival, r.query = from, query{}
	header := &r.query.header
	// Answering an answer would let two servers talk for ever.
	if !header.Read(msg) || header.Flags&wire.FlagQR != 0 {
		return nil
	}
	r.rcode, r.aa, r.truncated, r.extended = rcodeNoError, false, false, extendedError{code: noExtendedError}
	r.gives, r.cookieGood, r.alike = 0, false, 0
	r.asked = nil
	r.msg.reset(out)
	switch header.Opcode() {
	case wire.OpcodeQuery:
		return r.answerQuery(msg)
	case wire.OpcodeNotify:
		return r.answerNotify(msg)
	}
	// The rest of a message of an unknown kind can't be known. Its question is
	// echoed if there is one.
	if header.QD == 1 && r.query.readQuestion(msg, &r.msg.reader) == nil {
		r.begin()
	}
	r.rcode = rcodeNotImp
	return r.finish()
}

// begin starts the answer with the question, bit for bit.
func (r *responder) begin() {
	r.size = wire.MaxMessage
	if r.transport == UDP {
		r.size = min(max(int(r.query.edns.size), minUDP), r.udpSize)
	}
	limit := r.size
	if r.query.edns.present {
		limit -= optSize
	}
	r.msg.begin(r.query.question, limit)
}

// fail makes the answer an error without records, which comes from no zone.
func (r *responder) fail(rcode int, extended extendedError) []byte {
	r.rcode, r.extended, r.aa, r.truncated = rcode, extended, false, false
	r.gives &^= withExpire | withZoneVersion
	r.msg.dropRecords()
	return r.finish()
}

// finish completes the answer: OPT, header.
func (r *responder) finish() []byte {
	if r.truncated && r.transport == TCP && r.cut == answerSection {
		// TC over TCP would send the client to TCP, where it is.
		return r.fail(rcodeServFail, extendedError{extendedOther, "answer exceeds 64 KiB"})
	}
	if r.query.edns.present {
		r.appendOPT()
	}
	flags := wire.FlagQR | r.query.header.Flags&(opcodeBits|wire.FlagRD) | uint16(r.rcode&0xF)
	if r.aa {
		flags |= wire.FlagAA
	}
	if r.truncated {
		flags |= wire.FlagTC
	}
	return r.msg.finish(r.query.header.ID, flags)
}

const (
	minUDP     = 512       // octets that every client takes (RFC 1035 section 2.3.4)
	opcodeBits = 0xF << 11 // of the flags
)

// require adds an RRset that the answer is not complete without.
func (r *responder) require(s section, at owner, set zone.RRset, signed bool) bool {
	return r.requireUpTo(s, at, set, signed, maxTTL)
}

// requireUpTo is require with an upper bound of the TTLs.
func (r *responder) requireUpTo(s section, at owner, set zone.RRset, signed bool, ttl uint32) bool {
	if r.msg.addSet(s, at, set, signed, ttl) {
		return true
	}
	return r.truncate(s)
}

// truncate notes that something required did not fit into section s.
func (r *responder) truncate(s section) bool {
	r.truncated, r.cut = true, s
	return false
}
