package metrics

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// Transport is how a query came.
type Transport uint8

// The transports of queries.
const (
	UDP Transport = iota
	TCP
	transportCount
)

var transports = [transportCount]string{"udp", "tcp"}

// Limit is what became of an answer over the rate limit.
type Limit uint8

// What becomes of answers over the rate limit.
const (
	LimitDropped   Limit = iota
	LimitTruncated       // sent empty, with TC
	LimitLogged          // sent, for limits are only to be logged
	limitCount
)

var limits = [limitCount]string{"dropped", "truncated", "logged"}

// bounds are the upper ends of the buckets of the time an answer takes.
var bounds = [...]time.Duration{
	time.Microsecond, 2 * time.Microsecond, 5 * time.Microsecond,
	10 * time.Microsecond, 20 * time.Microsecond, 50 * time.Microsecond,
	100 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 10 * time.Millisecond, 100 * time.Millisecond, time.Second,
}

// The buckets of the sizes of answers end at powers of two from 64 octets on;
// the last takes all that a message can be.
const (
	smallestSize = 6 // 2^6 octets end the first bucket
	sizeCount    = 16 - smallestSize + 1
)

// knownTypes are the query types that have a label value of their own. A
// packet can't make up others: they all count as "other".
var knownTypes = map[uint16]string{
	1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT", 17: "RP",
	18: "AFSDB", 24: "SIG", 25: "KEY", 28: "AAAA", 29: "LOC", 33: "SRV", 35: "NAPTR", 36: "KX",
	37: "CERT", 39: "DNAME", 42: "APL", 43: "DS", 44: "SSHFP", 45: "IPSECKEY", 46: "RRSIG",
	47: "NSEC", 48: "DNSKEY", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 53: "SMIMEA",
	59: "CDS", 60: "CDNSKEY", 61: "OPENPGPKEY", 62: "CSYNC", 63: "ZONEMD", 64: "SVCB",
	65: "HTTPS", 66: "DSYNC", 99: "SPF", 251: "IXFR", 252: "AXFR", 255: "ANY", 256: "URI", 257: "CAA",
}

var knownRcodes = map[int]string{
	0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED",
	6: "YXDOMAIN", 9: "NOTAUTH", 16: "BADVERS",
}

const (
	typeLimit  = 258 // above the highest known type
	rcodeLimit = 17  // above the highest known response code
	typeCount  = 47  // known ones and "other", with room
	rcodeCount = 10
	otherLabel = "other"
)

// The counters of a type or code are at the slot its number leads to; slot 0
// is for all others.
var (
	typeSlots, typeNames   = slots(knownTypes, typeLimit)
	rcodeSlots, rcodeNames = slots(knownRcodes, rcodeLimit)
)

func slots[K uint16 | int](known map[K]string, limit int) (slot []uint8, names []string) {
	slot, names = make([]uint8, limit), []string{otherLabel}
	for number := range limit {
		if name, ok := known[K(number)]; ok {
			slot[number] = uint8(len(names))
			names = append(names, name)
		}
	}
	return slot, names
}

// DNSWorker counts the queries that one worker answers. Its memory is padded,
// so that no two workers write to the same cache line.
type DNSWorker struct {
	_           [64]byte
	queries     [transportCount][typeCount][rcodeCount]atomic.Uint64
	sizes       [transportCount][sizeCount]atomic.Uint64
	octets      [transportCount]atomic.Uint64
	buckets     [transportCount][len(bounds) + 1]atomic.Uint64
	nanoseconds [transportCount]atomic.Uint64
	limited     [limitCount]atomic.Uint64
	number      int // among all workers
	_           [64]byte
}

// Answered counts one query of any type, answered with any response code in
// size octets.
func (w *DNSWorker) Answered(t Transport, qtype uint16, rcode, size int) {
	var kind, code uint8
	if int(qtype) < len(typeSlots) {
		kind = typeSlots[qtype]
	}
	if rcode < len(rcodeSlots) {
		code = rcodeSlots[rcode]
	}
	w.queries[t][kind][code].Add(1)
	w.sizes[t][sizeBucket(size)].Add(1)
	w.octets[t].Add(uint64(size))
}

// sizeBucket returns the bucket for an answer of size octets, 1 to 65535.
func sizeBucket(size int) int {
	return max(bits.Len16(uint16(size-1))-smallestSize, 0)
}

// Took counts how long each of n answers, worked out together, took.
func (w *DNSWorker) Took(t Transport, n int, took time.Duration) {
	i := 0
	for i < len(bounds) && took > bounds[i] {
		i++
	}
	w.buckets[t][i].Add(uint64(n))
	w.nanoseconds[t].Add(uint64(n) * uint64(max(took, 0)))
}

// Limited counts an answer over the rate limit.
func (w *DNSWorker) Limited(l Limit) { w.limited[l].Add(1) }
