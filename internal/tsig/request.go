package tsig

import (
	"bytes"
	"crypto/hmac"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"secondaryd/internal/wire"
)

// Response codes that a request with a bad signature is answered with.
const (
	rcodeFormErr = 1
	rcodeNotAuth = 9
)

// Request is what is known of the signature of a request.
type Request struct {
	Key  *Key   // the key that signed it; nil for an unsigned request
	MAC  []byte // its MAC, which the answer's digest begins with
	Body []byte // the message without its TSIG record
}

// RequestError says why the signature of a request was not accepted, and how
// to answer it.
type RequestError struct {
	Rcode int   // FORMERR or NOTAUTH
	Err   error // in words

	rec *record
	key *Key // set when the request's MAC was right, and so the answer is signed
	mac []byte
}

func (e *RequestError) Error() string { return e.Err.Error() }
func (e *RequestError) Unwrap() error { return e.Err }

// Verify checks the signature of a request in the order RFC 8945 section 5.2
// demands: key, MAC, time, and at last that the MAC was not cut short, which we
// do not allow. lookup finds a key by its folded name. A message without a TSIG
// record is a Request without a key. Body shares msg's memory.
func Verify(msg []byte, lookup func(name wire.Name) *Key, now time.Time) (Request, *RequestError) {
	rec, err := find(msg)
	if err != nil {
		return Request{}, &RequestError{Rcode: rcodeFormErr, Err: err}
	}
	if rec == nil {
		return Request{Body: msg}, nil
	}
	key := lookup(rec.name)
	if key == nil || !rec.algorithm.Equal(key.algorithm) {
		return Request{}, rec.reject(codeBadKey, fmt.Errorf("unknown key %s (%s)", rec.name, rec.algorithm))
	}
	sum := key.sum(msg, rec)
	if len(rec.mac) > len(sum) || len(rec.mac) < max(10, len(sum)/2) {
		return Request{}, &RequestError{Rcode: rcodeFormErr, Err: fmt.Errorf("MAC of %d octets", len(rec.mac))}
	}
	if !hmac.Equal(sum[:len(rec.mac)], rec.mac) {
		return Request{}, rec.reject(codeBadSig, fmt.Errorf("signature of key %s does not verify", key.name))
	}
	if !rec.timely(now) {
		e := rec.reject(codeBadTime, skewError(errors.New("clocks differ too much"), rec.signed, now))
		return Request{}, e.signedBy(key, rec.mac)
	}
	if len(rec.mac) < len(sum) {
		e := rec.reject(codeBadTrunc, fmt.Errorf("MAC cut to %d of %d octets", len(rec.mac), len(sum)))
		return Request{}, e.signedBy(key, rec.mac)
	}
	return Request{Key: key, MAC: bytes.Clone(rec.mac), Body: strip(msg, rec)}, nil
}

// sum returns what the MAC of the request msg must be.
func (k *Key) sum(msg []byte, rec *record) []byte {
	h := k.mac()
	header, rest := unsigned(msg, rec)
	h.Write(header[:])
	h.Write(rest)
	h.Write(rec.appendVariables(nil))
	return h.Sum(nil)
}

func (rec *record) reject(code uint16, err error) *RequestError {
	reply := *rec
	reply.code, reply.mac, reply.other = code, nil, nil
	return &RequestError{Rcode: rcodeNotAuth, Err: err, rec: &reply}
}

// signedBy has the answer signed, as one to a request with the given MAC. That
// is copied, for an answer is often made in the request's memory.
func (e *RequestError) signedBy(key *Key, mac []byte) *RequestError {
	e.key, e.mac = key, bytes.Clone(mac)
	return e
}

// Append adds the TSIG record that reports e to answer, a whole message without
// one (RFC 8945 section 5.3.2): unsigned for BADKEY and BADSIG, signed for
// BADTRUNC and, with our time, for BADTIME; none at all for a FORMERR.
func (e *RequestError) Append(answer []byte, now time.Time) []byte {
	if e.rec == nil {
		return answer
	}
	e.rec.id = binary.BigEndian.Uint16(answer)
	if e.key == nil {
		return e.rec.append(answer)
	}
	if e.rec.code == codeBadTime {
		e.rec.other = appendUint48(nil, uint64(now.Unix()))
	}
	signed, _ := e.key.sign(answer, e.mac, e.rec, false)
	return signed
}
