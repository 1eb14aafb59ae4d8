package tsig

import (
	"encoding/binary"
	"time"

	"secondaryd/internal/wire"
)

// Sign appends the key's TSIG record to msg, a whole message without one, whose
// header then counts it, and returns the signed message and its MAC. prior is the MAC of the request that
// msg answers, or nil if msg is itself a request.
func (k *Key) Sign(msg, prior []byte, now time.Time) (signed, mac []byte) {
	return k.sign(msg, prior, k.record(msg, now), false)
}

// SignNext signs a later message of a stream of several: its digest covers
// prior, the MAC of the message before it, and only the timers of its record
// (RFC 8945 section 5.3.1).
func (k *Key) SignNext(msg, prior []byte, now time.Time) (signed, mac []byte) {
	return k.sign(msg, prior, k.record(msg, now), true)
}

func (k *Key) record(msg []byte, now time.Time) *record {
	return &record{
		name:      k.name,
		algorithm: k.algorithm,
		signed:    uint64(now.Unix()),
		fudge:     Fudge,
		id:        binary.BigEndian.Uint16(msg),
	}
}

func (k *Key) sign(msg, prior []byte, rec *record, timersOnly bool) (signed, mac []byte) {
	h := k.mac()
	if prior != nil {
		h.Write(appendMAC(nil, prior))
	}
	h.Write(msg)
	if timersOnly {
		h.Write(rec.appendTimers(nil))
	} else {
		h.Write(rec.appendVariables(nil))
	}
	rec.mac = h.Sum(nil)
	return rec.append(msg), rec.mac
}

// Size returns how many octets a TSIG record of this key takes in a message.
func (k *Key) Size() int {
	return len(k.name) + 10 + len(k.algorithm) + 16 + k.mac().Size()
}

// appendMAC writes a MAC as it enters a digest: its size, then its octets.
func appendMAC(dst, mac []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(mac)))
	return append(dst, mac...)
}

// unsigned returns msg as it was when rec was added to it: without the record,
// one additional record fewer, and with the original ID. It is a copy of the
// header followed by the rest of msg.
func unsigned(msg []byte, rec *record) (header [wire.HeaderSize]byte, rest []byte) {
	copy(header[:], msg)
	binary.BigEndian.PutUint16(header[:], rec.id)
	binary.BigEndian.PutUint16(header[10:], binary.BigEndian.Uint16(msg[10:])-1)
	return header, msg[wire.HeaderSize:rec.start]
}

// strip takes rec off msg. The ID stays the one the message came with: whoever
// forwarded a request under another ID awaits the answer under that.
func strip(msg []byte, rec *record) []byte {
	binary.BigEndian.PutUint16(msg[10:], binary.BigEndian.Uint16(msg[10:])-1)
	return msg[:rec.start]
}
