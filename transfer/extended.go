package transfer

import (
	"encoding/binary"
	"errors"
	"fmt"

	"secondaryd/internal/wire"
)

// extendedError is what a peer adds to the response code of a refusal (RFC 8914).
// It is a hint for people, and may come from anyone: but for one code nothing
// depends on it.
type extendedError struct {
	code uint16
	text string // cut short, as it came
}

const (
	optionExtended       = 15
	extendedNotSupported = 21
	// extendedText is the octets of a peer's text that are shown.
	extendedText = 120
)

// extendedNames are the codes' names (RFC 8914 section 5.2) that primaries have a use for.
var extendedNames = map[uint16]string{
	0: "other error", 14: "not ready", 15: "blocked", 16: "censored", 17: "filtered", 18: "prohibited",
	20: "not authoritative", extendedNotSupported: "not supported", 23: "network error", 24: "invalid data",
}

func (e *extendedError) Error() string {
	s := fmt.Sprintf("extended error %d", e.code)
	if name, ok := extendedNames[e.code]; ok {
		s += ", " + name
	}
	if e.text != "" {
		s += fmt.Sprintf(", %q", e.text)
	}
	return s
}

// readExtended looks for an extended error in a message that is otherwise an
// error alone; nil if there is none, or what is before it can't be read.
func readExtended(msg []byte) *extendedError {
	h, ok := wire.ParseHeader(msg)
	if !ok {
		return nil
	}
	var r wire.Reader
	r.Reset(msg)
	for range h.QD {
		if _, err := r.Question(); err != nil {
			return nil
		}
	}
	for range int(h.AN) + int(h.NS) + int(h.AR) {
		rr, err := r.Skip()
		if err != nil {
			return nil
		}
		if rr.Type != wire.TypeOPT {
			continue
		}
		if value, ok := option(msg[rr.Data:rr.Data+rr.Size], optionExtended); ok && len(value) >= 2 {
			text := value[2:]
			return &extendedError{binary.BigEndian.Uint16(value), string(text[:min(len(text), extendedText)])}
		}
	}
	return nil
}

// unsupported reports whether err is a peer's word that it does not answer
// queries of that kind here: a client is to stop sending them for about an hour
// (RFC 9103 section 7.8).
func unsupported(err error) bool {
	e, ok := errors.AsType[*extendedError](err)
	return ok && e.code == extendedNotSupported
}
