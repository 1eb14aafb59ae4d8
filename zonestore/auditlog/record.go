package auditlog

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// Kind says what a record holds.
type Kind byte

// The kinds. The numbers are stored and never change.
const (
	KindObjects     Kind = 1 + iota // some of the objects of a snapshot
	KindSnapshot                    // the end of a snapshot: it is whole, and why it was made
	KindTransaction                 // what one transaction changed
)

// Mark sums up the configuration after a record.
type Mark struct {
	Revision uint64
	Count    uint64 // of objects
	Sum      uint64 // of their hashes
}

// Record is one record. What its body says is known to who wrote it.
type Record struct {
	Kind Kind
	Mark Mark
	Body []byte
}

// The head of a record, with numbers in network byte order:
//
//	octets 0-3     magic
//	octets 4-7     CRC-32C over the number of the file and octets 8 to 44
//	octet  8       kind
//	octets 9-12    number of the record in its file, from 0
//	octets 13-36   revision, count and sum of the mark
//	octets 37-40   octets of the body
//	octets 41-44   CRC-32C of the body
//
// The magic is no UTF-8, so that no text in a body can be taken for a record.
const (
	recordMagic = "\xffSD\xfe"
	recordHead  = 45
	// MaxBody is the most octets that a body may have: a transaction of 128
	// objects of 64 KiB before and after, and more.
	MaxBody = 20 << 20
)

var (
	castagnoli  = crc32.MakeTable(crc32.Castagnoli)
	errTooLarge = errors.New("the body of a record is too large")
	errHead     = errors.New("no record begins here")
	errBody     = errors.New("the checksum of a record does not match")
	errCut      = errors.New("a record is cut off")
)

// head is a record without its body.
type head struct {
	kind   Kind
	number uint32
	mark   Mark
	length uint32
	sum    uint32
}

func (h *head) size() int64 { return recordHead + int64(h.length) }

// appendRecord writes a record of a file to the end of b.
func appendRecord(b []byte, file uint64, number uint32, r Record) []byte {
	at := len(b)
	b = append(b, recordMagic...)
	b = append(b, 0, 0, 0, 0, byte(r.Kind))
	b = binary.BigEndian.AppendUint32(b, number)
	b = binary.BigEndian.AppendUint64(b, r.Mark.Revision)
	b = binary.BigEndian.AppendUint64(b, r.Mark.Count)
	b = binary.BigEndian.AppendUint64(b, r.Mark.Sum)
	b = binary.BigEndian.AppendUint32(b, uint32(len(r.Body)))
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(r.Body, castagnoli))
	binary.BigEndian.PutUint32(b[at+4:], headSum(file, b[at+8:]))
	return append(b, r.Body...)
}

// decodeHead reads the head that b, of recordHead octets, consists of.
func decodeHead(b []byte, file uint64) (head, error) {
	if string(b[:4]) != recordMagic || binary.BigEndian.Uint32(b[4:]) != headSum(file, b[8:]) {
		return head{}, errHead
	}
	h := head{
		kind:   Kind(b[8]),
		number: binary.BigEndian.Uint32(b[9:]),
		mark: Mark{
			Revision: binary.BigEndian.Uint64(b[13:]),
			Count:    binary.BigEndian.Uint64(b[21:]),
			Sum:      binary.BigEndian.Uint64(b[29:]),
		},
		length: binary.BigEndian.Uint32(b[37:]),
		sum:    binary.BigEndian.Uint32(b[41:]),
	}
	if h.kind < KindObjects || h.kind > KindTransaction || h.length > MaxBody {
		return head{}, errHead
	}
	return h, nil
}

func headSum(file uint64, body []byte) uint32 {
	sum := crc32.Checksum(binary.BigEndian.AppendUint64(nil, file), castagnoli)
	return crc32.Update(sum, castagnoli, body)
}
