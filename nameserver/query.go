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
// reports false if the answer is already known: its code is in r.rcode.
func (r *responder) parse(msg []byte) bool {
	q := &r.query
	if !r.readSections(msg) {
		q.question, q.edns = nil, edns{}
		r.rcode = rcodeFormErr
		return false
	}
	r.begin()
	switch e := &q.edns; {
	case e.malformed:
		r.rcode = rcodeFormErr
	case e.version > 0:
		r.rcode = rcodeBadVers
	case e.asked != 0 && !r.acceptOptions():
		r.rcode = rcodeFormErr
	case q.header.QD == 0:
		r.rcode = r.withoutQuestion()
	default:
		return true
	}
	return false
}

// readSections reads the question, of which a query has one and no more
// (RFC 9619 section 4), and what is of interest behind it.
func (r *responder) readSections(msg []byte) bool {
	q, reader := &r.query, &r.msg.reader
	switch q.header.QD {
	case 0:
		reader.Reset(msg)
	case 1:
		if q.readQuestion(msg, reader) != nil {
			return false
		}
	default:
		return false
	}
	return q.readRecords(msg, reader) == nil
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
