package wire

import "encoding/binary"

// Bits of a header's flags (RFC 1035 section 4.1.1, RFC 4035 section 3).
const (
	FlagQR = 1 << 15
	FlagAA = 1 << 10
	FlagTC = 1 << 9
	FlagRD = 1 << 8
	FlagRA = 1 << 7
	FlagAD = 1 << 5
	FlagCD = 1 << 4
)

// Header is the fixed start of a message.
type Header struct {
	ID             uint16
	Flags          uint16
	QD, AN, NS, AR uint16 // how many entries each section claims
}

// Opcode returns the four bits of the flags that say what is asked for.
func (h Header) Opcode() int { return int(h.Flags >> 11 & 0xF) }

// Rcode returns the low four bits of the response code.
func (h Header) Rcode() int { return int(h.Flags & 0xF) }

// ParseHeader reads the header of msg; ok is false when msg is shorter than one.
func ParseHeader(msg []byte) (h Header, ok bool) {
	ok = h.Read(msg)
	return h, ok
}

// Read is ParseHeader into h: to copy a header takes a measurable part of the time in
// which a query is answered.
func (h *Header) Read(msg []byte) (ok bool) {
	if len(msg) < HeaderSize {
		return false
	}
	h.ID = binary.BigEndian.Uint16(msg)
	h.Flags = binary.BigEndian.Uint16(msg[2:])
	h.QD = binary.BigEndian.Uint16(msg[4:])
	h.AN = binary.BigEndian.Uint16(msg[6:])
	h.NS = binary.BigEndian.Uint16(msg[8:])
	h.AR = binary.BigEndian.Uint16(msg[10:])
	return true
}

// Append writes the header to dst.
func (h Header) Append(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint16(dst, h.ID)
	dst = binary.BigEndian.AppendUint16(dst, h.Flags)
	dst = binary.BigEndian.AppendUint16(dst, h.QD)
	dst = binary.BigEndian.AppendUint16(dst, h.AN)
	dst = binary.BigEndian.AppendUint16(dst, h.NS)
	return binary.BigEndian.AppendUint16(dst, h.AR)
}

// Question is one entry of the question section.
type Question struct {
	Name  Name // in the Reader's memory: valid until its next call
	Type  uint16
	Class uint16
}

// RR is one resource record as it lies in a message.
type RR struct {
	Owner Name // in the Reader's memory: valid until its next call
	Type  uint16
	Class uint16
	TTL   uint32
	Start int // offset of the record in the message
	Data  int // offset of its RDATA
	Size  int // octets of its RDATA
}

// Reader walks the entries of a message one after the other. The caller knows
// from the header which section it is in.
type Reader struct {
	msg  []byte
	off  int
	name [MaxName]byte
	// The owner read last, if owner is not 0: it has size octets in name, and a
	// pointer to owner means it again.
	owner, size int
}

// Reset starts the walk behind the header of msg.
func (r *Reader) Reset(msg []byte) { r.msg, r.off, r.owner = msg, HeaderSize, 0 }

// Offset returns where the next entry begins.
func (r *Reader) Offset() int { return r.off }

// Rest returns the number of octets not yet read.
func (r *Reader) Rest() int { return len(r.msg) - r.off }

// Question reads the next entry as a question.
func (r *Reader) Question() (Question, error) {
	r.owner = 0
	name, off, err := AppendName(r.name[:0], r.msg, r.off)
	if err != nil {
		return Question{}, err
	}
	if off+4 > len(r.msg) {
		return Question{}, ErrShort
	}
	q := Question{
		Name:  name,
		Type:  binary.BigEndian.Uint16(r.msg[off:]),
		Class: binary.BigEndian.Uint16(r.msg[off+2:]),
	}
	r.off = off + 4
	return q, nil
}

// RR reads the next entry as a resource record, its RDATA unseen.
func (r *Reader) RR() (rr RR, err error) {
	err = r.Read(&rr)
	return rr, err
}

// Read is RR into what the caller keeps for it: a transfer has millions.
func (r *Reader) Read(rr *RR) error {
	off, err := r.readOwner()
	if err != nil {
		return err
	}
	if err := r.fixed(rr, off); err != nil {
		return err
	}
	rr.Owner = r.name[:r.size]
	return nil
}

// readOwner reads the owner of the next entry and returns where it ends. Records of
// one owner come together, and all but the first point to it as a rule.
func (r *Reader) readOwner() (end int, err error) {
	pointer := 0
	if r.off+2 <= len(r.msg) {
		pointer = int(binary.BigEndian.Uint16(r.msg[r.off:])) - pointerBits<<8
	}
	if pointer > 0 && pointer == r.owner {
		return r.off + 2, nil
	}
	r.owner = 0
	name, end, err := AppendName(r.name[:0], r.msg, r.off)
	if err != nil {
		return 0, err
	}
	r.owner, r.size = r.off, len(name)
	if pointer > 0 {
		r.owner = pointer
	}
	return end, nil
}

// Skip reads the next entry as a resource record without its owner.
func (r *Reader) Skip() (rr RR, err error) {
	off, err := SkipName(r.msg, r.off)
	if err != nil {
		return RR{}, err
	}
	err = r.fixed(&rr, off)
	return rr, err
}

// fixed reads what follows the owner, which ended at off.
func (r *Reader) fixed(rr *RR, off int) error {
	if off+10 > len(r.msg) {
		return ErrShort
	}
	b := r.msg[off : off+10]
	size := int(binary.BigEndian.Uint16(b[8:]))
	end := off + len(b) + size
	if end > len(r.msg) {
		return ErrShort
	}
	rr.Type = binary.BigEndian.Uint16(b)
	rr.Class = binary.BigEndian.Uint16(b[2:])
	rr.TTL = binary.BigEndian.Uint32(b[4:])
	rr.Start, rr.Data, rr.Size = r.off, off+len(b), size
	r.off = end
	return nil
}
