package transfer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"secondaryd/internal/tsig"
	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// query is one question to a peer and what it takes to recognise the answer.
type query struct {
	question
	id    uint16
	mac   []byte // of the signed query
	bytes []byte
}

// question is what a query asks.
type question struct {
	apex  wire.Name
	qtype uint16
	base  *zone.Zone // what an IXFR query has at hand, nil in others
	key   *tsig.Key  // nil: unsigned
	edns  bool
	// padded has the query grow to a size that says little; EDNS can do that.
	padded bool
}

// newQuery makes a query, signed if there is a key. The id comes from a strong
// source, so that an answer can't be guessed (RFC 5452 section 9.1).
func newQuery(id uint16, ask question, now time.Time) *query {
	q := &query{question: ask, id: id}
	h := wire.Header{ID: id, QD: 1}
	if q.base != nil {
		h.NS = 1
	}
	q.bytes = append(h.Append(nil), q.apex...)
	q.bytes = binary.BigEndian.AppendUint16(q.bytes, q.qtype)
	q.bytes = binary.BigEndian.AppendUint16(q.bytes, wire.ClassIN)
	if q.base != nil {
		q.bytes = appendOurSOA(q.bytes, q.base)
	}
	if q.edns {
		q.bytes = appendOPT(q.bytes, q.padded, q.signatureSize())
	}
	if q.key != nil {
		q.bytes, q.mac = q.key.Sign(q.bytes, nil, now)
	}
	return q
}

// signatureSize is the size of the TSIG record that the query ends with.
func (q *question) signatureSize() int {
	if q.key == nil {
		return 0
	}
	return q.key.Size()
}

// appendOurSOA writes the SOA of our version, of which an IXFR query asks what
// has changed since (RFC 1995 section 3).
func appendOurSOA(msg []byte, base *zone.Zone) []byte {
	set, _ := base.Top().Set(wire.TypeSOA)
	for rdata := range set.Records() {
		msg = binary.BigEndian.AppendUint16(msg, 0xC000|wire.HeaderSize) // the name of the question
		msg = binary.BigEndian.AppendUint16(msg, wire.TypeSOA)
		msg = binary.BigEndian.AppendUint16(msg, wire.ClassIN)
		msg = binary.BigEndian.AppendUint32(msg, set.TTL)
		msg = binary.BigEndian.AppendUint16(msg, uint16(len(rdata)))
		msg = append(msg, rdata...)
	}
	return msg
}

// step names what the query is part of.
func (q *question) step() Step {
	switch q.qtype {
	case wire.TypeAXFR:
		return StepAXFR
	case wire.TypeIXFR:
		return StepIXFR
	default:
		return StepSOA
	}
}

// verifier checks the signatures of what answers a query.
type verifier interface {
	Next(msg []byte, now time.Time) ([]byte, error)
	Finish() error
}

func (q *query) verifier() verifier {
	if q.key == nil {
		return plain{}
	}
	return tsig.NewAnswer(q.key, q.mac)
}

// plain lets the messages of an unsigned exchange through.
type plain struct{}

func (plain) Next(msg []byte, _ time.Time) ([]byte, error) { return msg, nil }
func (plain) Finish() error                                { return nil }

// signatureError says of an answer whose signature failed with err what it
// means. A report of an error may come unsigned, and proves nothing, but tells
// more than that it is unsigned; it only ever makes a try fail.
func signatureError(step Step, msg []byte, err error) error {
	h, ok := wire.ParseHeader(msg)
	if !ok || !errors.Is(err, tsig.ErrUnsigned) || h.Rcode() == 0 {
		return err
	}
	return rcodeError(step, h.Rcode(), msg)
}

// matches reports whether msg claims to answer the query: anything else that
// arrives by UDP is ignored (RFC 5452 section 9.1).
func (q *query) matches(msg []byte) bool {
	h, ok := wire.ParseHeader(msg)
	if !ok || h.ID != q.id || h.Flags&wire.FlagQR == 0 {
		return false
	}
	if h.QD == 0 {
		return h.Rcode() != 0 // an error report may leave the question out
	}
	var r wire.Reader
	r.Reset(msg)
	question, err := r.Question()
	return err == nil && q.asks(question)
}

func (q *question) asks(question wire.Question) bool {
	return question.Type == q.qtype && question.Class == wire.ClassIN && question.Name.Equal(q.apex)
}

// checkHeader checks what every message of an answer must have (RFC 5936
// section 2.2.1) and returns a reader behind the question. The question may be
// left out of all messages but the first.
func (q *query) checkHeader(step Step, msg []byte, first bool) (wire.Header, *wire.Reader, error) {
	h, ok := wire.ParseHeader(msg)
	switch {
	case !ok:
		return h, nil, fail(step, CauseMalformed, "message of %d octets", len(msg))
	case h.ID != q.id:
		return h, nil, fail(step, CauseNotAnswer, "message id %d instead of %d", h.ID, q.id)
	case h.Flags&wire.FlagQR == 0 || h.Opcode() != wire.OpcodeQuery:
		return h, nil, fail(step, CauseNotAnswer, "flags %#04x", h.Flags)
	}
	if err := rcodeError(step, h.Rcode(), msg); err != nil {
		return h, nil, err
	}
	if h.QD > 1 || h.QD == 0 && first {
		return h, nil, fail(step, CauseNotAnswer, "%d questions", h.QD)
	}
	r := &wire.Reader{}
	r.Reset(msg)
	for range h.QD {
		question, err := r.Question()
		if err != nil {
			return h, nil, err
		}
		if !question.Name.Equal(q.apex) {
			return h, nil, fail(step, CauseWrongZone, "question %s", question.Name)
		}
		if !q.asks(question) {
			return h, nil, fail(step, CauseNotAnswer, "question type %d class %d", question.Type, question.Class)
		}
	}
	return h, r, nil
}

// skipRest reads n records, of which only the OPT record says something to us,
// and nothing may follow them: the counts must be met and every octet accounted
// for.
func skipRest(step Step, msg []byte, r *wire.Reader, n int) (e expiry, err error) {
	for range n {
		rr, err := r.Skip()
		if err != nil {
			return expiry{}, err
		}
		if rr.Type == wire.TypeOPT {
			e = readExpire(msg[rr.Data : rr.Data+rr.Size])
		}
	}
	if r.Rest() != 0 {
		return expiry{}, fail(step, CauseMalformed, "%d octets after the message", r.Rest())
	}
	return e, nil
}

const (
	rcodeFormErr  = 1
	rcodeServFail = 2
	rcodeNotImp   = 4
	rcodeRefused  = 5
	rcodeNotAuth  = 9
)

var rcodeNames = [16]string{
	"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
	"NXRRSET", "NOTAUTH", "NOTZONE", "DSOTYPENI", "RCODE12", "RCODE13", "RCODE14", "RCODE15",
}

// rcodeCauses are the response codes that have a cause of their own.
var rcodeCauses = map[int]Cause{
	rcodeRefused: CauseRefused, rcodeNotAuth: CauseNotAuth, rcodeServFail: CauseServFail,
	rcodeFormErr: CauseFormErr, rcodeNotImp: CauseNotImp,
}

// rcodeError turns the response code of a message into an error, with what the
// peer says of it; nil for NOERROR.
func rcodeError(step Step, rcode int, msg []byte) error {
	if rcode == 0 {
		return nil
	}
	e := &Error{Step: step, Cause: CauseRcode}
	cause, ok := rcodeCauses[rcode]
	if ok {
		e.Cause = cause
	}
	extended := readExtended(msg)
	switch {
	case extended == nil && (!ok || cause == CauseRefused):
		e.Err = errors.New(rcodeNames[rcode])
	case extended != nil && !ok:
		e.Err = fmt.Errorf("%s, %w", rcodeNames[rcode], extended)
	case extended != nil:
		e.Err = extended
	}
	return e
}
