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
	if len(msg) < HeaderSize {
		return Header{}, false
	}
	return Header{
		ID:    binary.BigEndian.Uint16(msg),
		Flags: binary.BigEndian.Uint16(msg[2:]),
		QD:    binary.BigEndian.Uint16(msg[4:]),
		AN:    binary.BigEndian.Uint16(msg[6:]),
		NS:    binary.BigEndian.Uint16(msg[8:]),
		AR:    binary.BigEndian.Uint16(msg[10:]),
	}, true
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
}

// Reset starts the walk behind the header of msg.
func (r *Reader) Reset(msg []byte) { r.msg, r.off = msg, HeaderSize }

// Offset returns where the next entry begins.
func (r *Reader) Offset() int { return r.off }

// Rest returns the number of octets not yet read.
func (r *Reader) Rest() int { return len(r.msg) - r.off }

// Question reads the next entry as a question.
func (r *Reader) Question() (Question, error) {
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
func (r *Reader) RR() (RR, error) {
	name, off, err := AppendName(r.name[:0], r.msg, r.off)
	if err != nil {
		return RR{}, err
	}
	rr, err := r.fixed(off)
	rr.Owner = name
	return rr, err
}

// Skip reads the next entry as a resource record without its owner.
func (r *Reader) Skip() (RR, error) {
	off, err := SkipName(r.msg, r.off)
	if err != nil {
		return RR{}, err
	}
	return r.fixed(off)
}

// fixed reads what follows the owner, which ended at off.
func (r *Reader) fixed(off int) (RR, error) {
	if off+10 > len(r.msg) {
		return RR{}, ErrShort
	}
	rr := RR{
		Type:  binary.BigEndian.Uint16(r.msg[off:]),
		Class: binary.BigEndian.Uint16(r.msg[off+2:]),
		TTL:   binary.BigEndian.Uint32(r.msg[off+4:]),
		Start: r.off,
		Data:  off + 10,
		Size:  int(binary.BigEndian.Uint16(r.msg[off+8:])),
	}
	if rr.Data+rr.Size > len(r.msg) {
		return RR{}, ErrShort
	}
	r.off = rr.Data + rr.Size
	return rr, nil
}
