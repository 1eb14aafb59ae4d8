package conformance

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/miekg/dns"
)

// record is a resource record as octets: no library has read and written it back.
type record struct {
	owner string // canonical
	rtype uint16
	class uint16
	ttl   uint32
	rdata string // names in it uncompressed, letters as they came
	size  int    // octets that it took in the message
}

func (r record) String() string {
	return fmt.Sprintf("%s %d %s %x", r.owner, r.ttl, typeName(r.rtype), r.folded())
}

func typeName(t uint16) string { return dns.Type(t).String() }

// message is an answer as it came.
type message struct {
	raw        []byte
	flags      uint16 // the second 16 bits of the header
	rcode      int    // with the bits that OPT adds
	question   []byte
	answer     []record
	authority  []record
	additional []record // without OPT
	opt        *record
}

// Bits of the header's second 16.
const (
	bitQR = 1 << 15
	bitAA = 1 << 10
	bitTC = 1 << 9
	bitRD = 1 << 8
	bitRA = 1 << 7
	bitZ  = 1 << 6
	bitAD = 1 << 5
	bitCD = 1 << 4

	headerSize = 12
	doBit      = 1 << 15
)

func (m *message) has(bit uint16) bool { return m.flags&bit != 0 }

var errShort = errors.New("message ends too early")

// parse reads a whole message and refuses octets behind it.
func parse(raw []byte) (*message, error) {
	if len(raw) < headerSize {
		return nil, errShort
	}
	count := func(i int) int { return int(binary.BigEndian.Uint16(raw[4+2*i:])) }
	m := &message{raw: raw, flags: binary.BigEndian.Uint16(raw[2:])}
	m.rcode = int(m.flags & 15)
	off := headerSize
	for range count(0) {
		_, next, err := dns.UnpackDomainName(raw, off)
		if err != nil || next+4 > len(raw) {
			return nil, errors.Join(errShort, err)
		}
		m.question = append(m.question, raw[off:next+4]...)
		off = next + 4
	}
	for i, section := range []*[]record{&m.answer, &m.authority, &m.additional} {
		for range count(i + 1) {
			r, next, err := parseRecord(raw, off)
			if err != nil {
				return nil, err
			}
			off = next
			if r.rtype == dns.TypeOPT && i == 2 && m.opt == nil {
				m.opt = &r
				m.rcode |= int(r.ttl >> 24 << 4)
				continue
			}
			*section = append(*section, r)
		}
	}
	if off != len(raw) {
		return nil, fmt.Errorf("%d octets behind the message", len(raw)-off)
	}
	return m, nil
}

func parseRecord(raw []byte, begin int) (record, int, error) {
	owner, off, err := dns.UnpackDomainName(raw, begin)
	if err != nil {
		return record{}, 0, err
	}
	if off+10 > len(raw) {
		return record{}, 0, errShort
	}
	r := record{
		owner: dns.CanonicalName(owner),
		rtype: binary.BigEndian.Uint16(raw[off:]),
		class: binary.BigEndian.Uint16(raw[off+2:]),
		ttl:   binary.BigEndian.Uint32(raw[off+4:]),
	}
	start := off + 10
	end := start + int(binary.BigEndian.Uint16(raw[off+8:]))
	if end > len(raw) {
		return record{}, 0, errShort
	}
	rdata, err := expand(r.rtype, raw, start, end)
	r.rdata, r.size = string(rdata), end-begin
	return r, end, err
}

// covers is the type whose signature the record is, 0 of any other record.
func (r record) covers() uint16 {
	if r.rtype != dns.TypeRRSIG || len(r.rdata) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16([]byte(r.rdata))
}

// target is the name that the RDATA of NS, CNAME, DNAME and the like is.
func (r record) target() string {
	name, _ := canonical([]byte(r.rdata))
	return name
}

func (r record) address() bool { return r.rtype == dns.TypeA || r.rtype == dns.TypeAAAA }
