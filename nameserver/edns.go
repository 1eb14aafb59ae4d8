package nameserver

import (
	"encoding/binary"

	"secondaryd/internal/wire"
)

// edns is what the OPT record of a query says (RFC 6891 section 6.1).
type edns struct {
	present   bool
	malformed bool
	version   uint8
	do        bool
	size      uint16 // octets of UDP payload the client takes
}

const (
	optSize   = 11 // octets of an OPT record without options
	optTTL    = 5  // offset of its TTL field
	doBit     = 1 << 15
	optionEDE = 15 // RFC 8914
)

// Codes of extended errors (RFC 8914 section 5.2, RFC 9824 section 3.3).
const (
	noExtendedError          = -1
	extendedOther            = 0
	extendedNotReady         = 14
	extendedProhibited       = 18
	extendedNotAuthoritative = 20
	extendedInvalidData      = 24
	extendedQueryType        = 30
)

// extendedError says more than a response code can.
type extendedError struct {
	code int // noExtendedError for none
	text string
}

// read takes the OPT record rr of msg. A second one, an owner other than the
// root and options that do not fill the RDATA exactly are errors.
func (e *edns) read(msg []byte, rr wire.RR) {
	if e.present {
		e.malformed = true
		return
	}
	e.present = true
	e.size = rr.Class
	e.version = uint8(rr.TTL >> 16)
	e.do = rr.TTL&doBit != 0
	e.malformed = rr.Data-rr.Start != optSize || !wholeOptions(msg[rr.Data:rr.Data+rr.Size])
}

// wholeOptions reports whether b is a sequence of options.
func wholeOptions(b []byte) bool {
	for len(b) >= 4 {
		size := 4 + int(binary.BigEndian.Uint16(b[2:]))
		if size > len(b) {
			return false
		}
		b = b[size:]
	}
	return len(b) == 0
}

// appendOPT writes the OPT record of the answer, for which begin kept room. An
// extended error goes only into answers that have no records, which leaves room
// for it too.
func (r *responder) appendOPT() {
	b := append(r.msg.buf, 0)
	b = binary.BigEndian.AppendUint16(b, wire.TypeOPT)
	b = binary.BigEndian.AppendUint16(b, uint16(r.udpSize))
	ttl := uint32(r.rcode>>4) << 24 // the upper bits of the response code; version 0
	if r.query.edns.do {
		ttl |= doBit
	}
	b = binary.BigEndian.AppendUint32(b, ttl)
	if r.extended.code == noExtendedError {
		b = binary.BigEndian.AppendUint16(b, 0)
	} else {
		size := 2 + len(r.extended.text)
		b = binary.BigEndian.AppendUint16(b, uint16(4+size))
		b = binary.BigEndian.AppendUint16(b, optionEDE)
		b = binary.BigEndian.AppendUint16(b, uint16(size))
		b = binary.BigEndian.AppendUint16(b, uint16(r.extended.code))
		b = append(b, r.extended.text...)
	}
	r.msg.buf = b
	r.msg.counts[additionalSection]++
}
