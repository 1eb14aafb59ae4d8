package transfer

import (
	"encoding/binary"

	"secondaryd/internal/wire"
)

// expiry is what a peer says its own copy has still to live, in seconds (RFC
// 7314). The zero value says nothing.
type expiry struct {
	seconds uint32
	given   bool
}

// longer returns that of two which leaves a copy more time. Who says nothing leaves
// it all that its SOA gives, which is never less (RFC 7314 section 4).
func (e expiry) longer(other expiry) expiry {
	if !e.given || other.given && other.seconds < e.seconds {
		return e
	}
	return other
}

const (
	optionExpire  = 9
	optionPadding = 12
	optionHead    = 4    // octets of an empty option
	optSize       = 1232 // what we take by UDP (RFC 9715)

	// paddedTo is what the size of a padded query is a multiple of (RFC 8467
	// section 4.1).
	paddedTo = 128
)

// appendOPT puts an OPT record with an empty EXPIRE option behind a query (RFC
// 7314 section 4) and counts it in its header. With padding (RFC 7830), and
// with the rest, in octets, that is to follow, the query has a size that tells
// little of the zone's name.
func appendOPT(msg []byte, padded bool, rest int) []byte {
	binary.BigEndian.PutUint16(msg[10:], binary.BigEndian.Uint16(msg[10:])+1)
	msg = append(msg, 0) // the root
	msg = binary.BigEndian.AppendUint16(msg, wire.TypeOPT)
	msg = binary.BigEndian.AppendUint16(msg, optSize)
	msg = binary.BigEndian.AppendUint32(msg, 0) // extended rcode, version, flags
	start := len(msg)
	msg = append(msg, 0, 0) // the size of the options
	msg = append(msg, 0, optionExpire, 0, 0)
	if padded {
		over := (len(msg) + optionHead + rest) % paddedTo
		padding := (paddedTo - over) % paddedTo
		msg = append(msg, 0, optionPadding, 0, byte(padding))
		msg = append(msg, make([]byte, padding)...)
	}
	binary.BigEndian.PutUint16(msg[start:], uint16(len(msg)-start-2))
	return msg
}

// readExpire looks for an EXPIRE option in the RDATA of an OPT record.
func readExpire(rdata []byte) expiry {
	value, ok := option(rdata, optionExpire)
	if !ok || len(value) != 4 {
		return expiry{}
	}
	return expiry{seconds: binary.BigEndian.Uint32(value), given: true}
}

// option returns the value of the first option with that code in the RDATA of an
// OPT record. Options that run past its end are not looked at: nothing depends on
// them.
func option(rdata []byte, wanted uint16) (value []byte, ok bool) {
	for len(rdata) >= optionHead {
		code, size := binary.BigEndian.Uint16(rdata), int(binary.BigEndian.Uint16(rdata[2:]))
		rdata = rdata[optionHead:]
		if size > len(rdata) {
			break
		}
		if code == wanted {
			return rdata[:size], true
		}
		rdata = rdata[size:]
	}
	return nil, false
}
