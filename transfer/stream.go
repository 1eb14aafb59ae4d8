package transfer

import "secondaryd/internal/wire"

// stream reads the messages of a transfer and gives their records to what
// assembles them, which is an axfr or an ixfr. It checks what every message of
// an answer must have; signatures are verified before.
type stream struct {
	query *query
	into  assembler
	// strict asks for AA in each message (RFC 5936 section 2.2.1), which some
	// primaries leave out.
	strict bool

	messages int
	empty    int  // of the messages, those without a record
	refused  bool // the answer is one message with nothing but an error code
	expire   expiry
	rr       wire.RR // scratch, as is what follows
	rdata    []byte
}

// assembler makes a version of a zone of records, in the order they come in.
type assembler interface {
	// record takes the next record. It and the uncompressed rdata are valid only
	// during the call.
	record(rr *wire.RR, rdata []byte) error
	// complete reports whether nothing more is to come.
	complete() bool
	// version makes the zone when all has come, or tells that there is nothing
	// newer.
	version() (received, error)
}

// message takes the next message of the stream and reports whether it was the
// last.
func (s *stream) message(msg []byte) (done bool, err error) {
	step := s.query.step()
	h, r, err := s.query.checkHeader(step, msg, s.messages == 0)
	if err != nil {
		s.refused = s.messages == 0 && h.ID == s.query.id && h.Rcode() != 0
		return false, err
	}
	if s.strict && h.Flags&wire.FlagAA == 0 {
		return false, &Error{Step: step, Cause: CauseLame}
	}
	if h.Flags&wire.FlagTC != 0 {
		return false, fail(step, CauseMalformed, "TC set in a transfer")
	}
	if err := s.count(step, h.AN); err != nil {
		return false, err
	}
	for range h.AN {
		if err := r.Read(&s.rr); err != nil {
			return false, err
		}
		if err := s.record(step, msg, &s.rr); err != nil {
			return false, err
		}
	}
	if err := s.rest(step, msg, h, r); err != nil {
		return false, err
	}
	return s.into.complete(), nil
}

// maxEmpty is how many more of the messages of a transfer may be empty than not.
const maxEmpty = 10_000

// count adds a message with so many records. Some may have none (RFC 9103 section
// 7.9.1), but a primary that sends little else means to keep us busy.
func (s *stream) count(step Step, records uint16) error {
	s.messages++
	if records > 0 {
		return nil
	}
	if s.empty++; s.empty-(s.messages-s.empty) > maxEmpty {
		return fail(step, CauseStructure, "%d of %d messages are without a record", s.empty, s.messages)
	}
	return nil
}

func (s *stream) record(step Step, msg []byte, rr *wire.RR) (err error) {
	if rr.Class != wire.ClassIN {
		return fail(step, CauseForeign, "record of %s in class %d", rr.Owner, rr.Class)
	}
	s.rdata, err = wire.AppendRdata(s.rdata[:0], msg, rr.Data, rr.Size, rr.Type)
	if err != nil {
		return fail(step, CauseMalformed, "%s type %d: %w", rr.Owner, rr.Type, err)
	}
	return s.into.record(rr, s.rdata)
}

// rest reads what follows the answer section: of that only the OPT record of
// the first message tells something.
func (s *stream) rest(step Step, msg []byte, h wire.Header, r *wire.Reader) error {
	e, err := skipRest(step, msg, r, int(h.NS)+int(h.AR))
	if s.messages == 1 {
		s.expire = e
	}
	return err
}
