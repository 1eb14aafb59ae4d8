package nameserver

import "encoding/binary"

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

const extendedCodeSize = 2

// extendedError says more than a response code can.
type extendedError struct {
	code int // noExtendedError for none
	text string
}

// appendExtendedError writes the extended error of the answer behind b, without
// its text or not at all if there is no room.
func (r *responder) appendExtendedError(b []byte) []byte {
	text := r.extended.text
	if !r.fits(b, extendedCodeSize+len(text)) {
		text = ""
	}
	if !r.fits(b, extendedCodeSize) {
		return b
	}
	b = appendOptionHead(b, optionEDE, extendedCodeSize+len(text))
	b = binary.BigEndian.AppendUint16(b, uint16(r.extended.code))
	return append(b, text...)
}
