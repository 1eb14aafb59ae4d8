// Package wire reads and writes the DNS wire format where the daemon's own
// speed or strictness depends on it: names, message headers, resource records
// and the names inside RDATA (RFC 1035 section 4.1, RFC 3597 section 4).
//
// It takes bytes and returns bytes or positions: no sockets, no clocks, no
// global state. Every function is safe on hostile input, and safe for
// concurrent use as long as callers do not share the slices they pass.
package wire

import "errors"

// Limits of RFC 1035 section 2.3.4 and section 4.1.
const (
	MaxName     = 255   // octets of a name in wire form, root label included
	MaxLabel    = 63    // octets of one label, length octet not counted
	MaxLabels   = 127   // labels of a name, root not counted
	HeaderSize  = 12    // octets of a message header
	MaxMessage  = 65535 // octets of a message over a stream
	pointerBits = 0xC0
)

// What can be wrong with bytes that claim to be a DNS message. They say what
// was found, so a caller adds only where.
var (
	ErrShort     = errors.New("message ends inside a field")
	ErrLabel     = errors.New("label of a reserved kind")
	ErrPointer   = errors.New("compression pointer does not point backwards, or is one of too many")
	ErrNameLong  = errors.New("name longer than 255 octets")
	ErrRdata     = errors.New("rdata does not have the form of its type")
	ErrRdataLong = errors.New("rdata longer than 65535 octets")
)
