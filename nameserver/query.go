package nameserver

import (
	"secondaryd/internal/wire"
)

// query is what a message asks. Its slices share the message's memory.
type query struct {
	header   wire.Header
	question []byte // the whole entry
	name     wire.Name
	qtype    uint16
	class    uint16
	edns     edns
	signed   bool // has a TSIG record
}

const (
	typeNXNAME = 128 // RFC 9824 section 3: no query type

	questionFixed = 4 // octets of type and class
)

// readQuestion reads the first entry of msg's question section. The name must
// be plain: there is nothing before it that a pointer could refer to.
func (q *query) readQuestion(msg []byte, reader *wire.Reader) error {
	reader.Reset(msg)
	entry, err := reader.Question()
	if err != nil {
		return err
	}
	if reader.Offset() != wire.HeaderSize+len(entry.Name)+questionFixed {
		return wire.ErrPointer
	}
	q.question = msg[wire.HeaderSize:reader.Offset()]
	q.name = q.question[:len(entry.Name)]
	q.qtype, q.class = entry.Type, entry.Class
	return nil
}

// readRecords walks the other sections, from where the question ended, for OPT
// and TSIG. Octets behind the last record are let pass.
func (q *query) readRecords(msg []byte, reader *wire.Reader) error {
	for range int(q.header.AN) + int(q.header.NS) {
		if _, err := reader.Skip(); err != nil {
			return err
		}
	}
	for range q.header.AR {
		rr, err := reader.Skip()
		if err != nil {
			return err
		}
		switch rr.Type {
		case wire.TypeOPT:
			q.edns.read(msg, rr)
		case wire.TypeTSIG:
			q.signed = true
		}
	}
	return nil
}

// parse reads msg as far as the answer depends on it and begins the answer. It
// reports false if the answer is already known: an error, in r.rcode.
func (r *responder) parse(msg []byte) bool {
	// RFC 9619: one question, no more and no less.
	if r.query.header.QD != 1 || r.query.readQuestion(msg, &r.msg.reader) != nil {
		r.query.question = nil
		r.rcode = rcodeFormErr
		return false
	}
	if r.query.readRecords(msg, &r.msg.reader) != nil {
		r.query.edns = edns{}
		r.rcode = rcodeFormErr
		return false
	}
	r.begin()
	switch {
	case r.query.edns.malformed:
		r.rcode = rcodeFormErr
	case r.query.edns.version > 0:
		r.rcode = rcodeBadVers
	default:
		return true
	}
	return false
}

// answerQuery answers a message of opcode QUERY. Cheap refusals come first.
func (r *responder) answerQuery(msg []byte) []byte {
	if !r.parse(msg) {
		return r.finish()
	}
	q := &r.query
	if q.signed {
		return r.refuseSigned(msg)
	}
	switch q.class {
	case wire.ClassIN:
	case wire.ClassCH:
		return r.answerChaos()
	default:
		return r.fail(rcodeRefused, extendedError{code: noExtendedError})
	}
	switch q.qtype {
	case wire.TypeAXFR, wire.TypeIXFR:
		if r.transport == UDP {
			return r.fail(rcodeNotImp, extendedError{code: noExtendedError})
		}
		return r.fail(rcodeRefused, extendedError{code: extendedProhibited})
	case typeNXNAME:
		return r.fail(rcodeFormErr, extendedError{code: extendedQueryType})
	}
	return r.answerFromZones()
}
