// Package tsig signs and verifies DNS messages with shared keys (RFC 8945).
//
// It is the one place where a signature is checked, whatever the transport. It
// works on the octets of messages, knows one key at a time, believes nothing in
// a TSIG record before its MAC is verified, and holds no clock: callers pass
// the time. Values are not safe for concurrent use, except Key, which is
// immutable. A key's secret is never formatted.
package tsig

import (
	"encoding/binary"
	"errors"
	"time"

	"secondaryd/internal/wire"
)

// Fudge is the difference of clocks, in seconds, that our messages allow
// (RFC 8945 section 10 recommends 300).
const Fudge = 300

// Codes of the TSIG error field (RFC 8945 section 3).
const (
	codeBadSig   = 16
	codeBadKey   = 17
	codeBadTime  = 18
	codeBadTrunc = 22
)

// record is a TSIG record as it lies in a message. The slices share the
// message's memory or, for names, memory of their own.
type record struct {
	start     int // offset of the record in the message
	name      wire.Name
	algorithm wire.Name
	signed    uint64 // seconds since 1970, 48 bits
	fudge     uint16
	mac       []byte
	id        uint16 // the original one
	code      uint16
	other     []byte
}

var (
	errNotLast = errors.New("TSIG record is not the last of the additional section")
	errForm    = errors.New("malformed TSIG record")
)

// find returns the TSIG record of msg, or nil when it has none. A TSIG record
// anywhere but at the very end is an error (RFC 8945 section 5.2), and so are
// counts that the message does not fill and octets behind the last record.
func find(msg []byte) (*record, error) {
	h, ok := wire.ParseHeader(msg)
	if !ok {
		return nil, wire.ErrShort
	}
	var r wire.Reader
	r.Reset(msg)
	for range h.QD {
		if _, err := r.Question(); err != nil {
			return nil, err
		}
	}
	total := int(h.AN) + int(h.NS) + int(h.AR)
	for i := range total {
		rr, err := r.Skip()
		if err != nil {
			return nil, err
		}
		if rr.Type != wire.TypeTSIG {
			continue
		}
		if i != total-1 || h.AR == 0 || r.Rest() != 0 {
			return nil, errNotLast
		}
		return parse(msg, rr)
	}
	return nil, nil
}

// parse reads the fields of the TSIG record rr (RFC 8945 section 4.2).
func parse(msg []byte, rr wire.RR) (*record, error) {
	if rr.Class != wire.ClassANY || rr.TTL != 0 {
		return nil, errForm
	}
	name, _, err := wire.AppendName(nil, msg, rr.Start)
	if err != nil {
		return nil, err
	}
	end := rr.Data + rr.Size
	algorithm, off, err := wire.AppendName(nil, msg[:end], rr.Data)
	if err != nil {
		return nil, err
	}
	b := msg[off:end]
	if len(b) < 10 {
		return nil, errForm
	}
	rec := &record{
		start:     rr.Start,
		name:      wire.Name(name).Fold(),
		algorithm: wire.Name(algorithm).Fold(),
		signed:    uint48(b),
		fudge:     binary.BigEndian.Uint16(b[6:]),
	}
	size := int(binary.BigEndian.Uint16(b[8:]))
	if len(b) < 10+size+6 {
		return nil, errForm
	}
	rec.mac = b[10 : 10+size]
	b = b[10+size:]
	rec.id = binary.BigEndian.Uint16(b)
	rec.code = binary.BigEndian.Uint16(b[2:])
	if int(binary.BigEndian.Uint16(b[4:])) != len(b)-6 {
		return nil, errForm
	}
	rec.other = b[6:]
	return rec, nil
}

// append writes the record to msg, which must be the whole message it signs,
// and counts it in the header.
func (rec *record) append(msg []byte) []byte {
	binary.BigEndian.PutUint16(msg[10:], binary.BigEndian.Uint16(msg[10:])+1)
	msg = append(msg, rec.name...)
	msg = binary.BigEndian.AppendUint16(msg, wire.TypeTSIG)
	msg = binary.BigEndian.AppendUint16(msg, wire.ClassANY)
	msg = binary.BigEndian.AppendUint32(msg, 0)
	size := len(rec.algorithm) + 16 + len(rec.mac) + len(rec.other)
	msg = binary.BigEndian.AppendUint16(msg, uint16(size))
	msg = append(msg, rec.algorithm...)
	msg = rec.appendTimers(msg)
	msg = binary.BigEndian.AppendUint16(msg, uint16(len(rec.mac)))
	msg = append(msg, rec.mac...)
	msg = binary.BigEndian.AppendUint16(msg, rec.id)
	msg = binary.BigEndian.AppendUint16(msg, rec.code)
	msg = binary.BigEndian.AppendUint16(msg, uint16(len(rec.other)))
	return append(msg, rec.other...)
}

// appendTimers writes the "TSIG timers" (RFC 8945 section 4.3.3.1).
func (rec *record) appendTimers(dst []byte) []byte {
	return binary.BigEndian.AppendUint16(appendUint48(dst, rec.signed), rec.fudge)
}

// appendVariables writes the "TSIG variables" (RFC 8945 section 4.3.3).
func (rec *record) appendVariables(dst []byte) []byte {
	dst = append(dst, rec.name...)
	dst = binary.BigEndian.AppendUint16(dst, wire.ClassANY)
	dst = binary.BigEndian.AppendUint32(dst, 0)
	dst = append(dst, rec.algorithm...)
	dst = rec.appendTimers(dst)
	dst = binary.BigEndian.AppendUint16(dst, rec.code)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(rec.other)))
	return append(dst, rec.other...)
}

// timely reports whether the record's time is as close to now as it allows.
func (rec *record) timely(now time.Time) bool {
	skew := int64(rec.signed) - now.Unix()
	return skew >= -int64(rec.fudge) && skew <= int64(rec.fudge)
}

// uint48 reads a time as the record holds it.
func uint48(b []byte) uint64 {
	return uint64(binary.BigEndian.Uint16(b))<<32 | uint64(binary.BigEndian.Uint32(b[2:]))
}

func appendUint48(dst []byte, n uint64) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(n>>32))
	return binary.BigEndian.AppendUint32(dst, uint32(n))
}
