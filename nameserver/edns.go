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
	options
}

const (
	optSize = 11 // octets of an OPT record without options
	optTTL  = 5  // offset of its TTL field
	doBit   = 1 << 15
)

// read takes the OPT record rr of msg. A second one, an owner other than the
// root and malformed options are errors.
func (e *edns) read(msg []byte, rr wire.RR) {
	if e.present {
		e.malformed = true
		return
	}
	e.present = true
	e.size = rr.Class
	e.version = uint8(rr.TTL >> 16)
	e.do = rr.TTL&doBit != 0
	e.malformed = rr.Data-rr.Start != optSize || !e.options.read(msg[rr.Data:rr.Data+rr.Size])
}

// appendOPT writes the OPT record of the answer, for which begin kept room.
func (r *responder) appendOPT() {
	b := append(r.msg.buf, 0)
	b = binary.BigEndian.AppendUint16(b, wire.TypeOPT)
	b = binary.BigEndian.AppendUint16(b, uint16(r.udpSize))
	ttl := uint32(r.rcode>>4) << 24 // the upper bits of the response code; version 0
	if r.query.edns.do {
		ttl |= doBit
	}
	b = binary.BigEndian.AppendUint32(b, ttl)
	b = append(b, 0, 0)
	if r.gives != 0 || r.extended.code != noExtendedError {
		start := len(b)
		b = r.appendOptions(b)
		binary.BigEndian.PutUint16(b[start-2:], uint16(len(b)-start))
	}
	r.msg.buf = b
	r.msg.counts[additionalSection]++
}
