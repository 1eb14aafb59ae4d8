package archive

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"secondaryd/zonestore/zone"
)

// key names a zone on disk and in memory: ids are any text, keys are small.
type key [16]byte

func keyOf(id string) key {
	sum := sha256.Sum256([]byte(id))
	return key(sum[:])
}

// kind says what a record does to its zone.
type kind byte

const (
	kindCopy    kind = 1 + iota // begins anew with a whole copy
	kindDelta                   // continues the record that prev names
	kindRemoved                 // ends whatever came before
)

// mark begins every record of a segment. It is random, so that the records
// behind damage can be found again and no primary can make up one of its own.
type mark [8]byte

// head is a record without its payload. Records are ordered by seq, wherever
// they lie: copying one to another segment keeps it.
type head struct {
	kind     kind
	key      key
	seq      uint64
	prev     uint64 // of a delta: the seq of the record before it; of a copy see before
	received int64  // microseconds since 1970
	serial   uint32 // of the version that the record leads to
	length   uint32 // of the payload
	sum      uint32 // of the payload
}

const (
	headSize   = len(mark{}) + 4 + 1 + len(key{}) + 8 + 8 + 8 + 4 + 4 + 4
	maxPayload = 16 << 20
)

var (
	castagnoli = crc32.MakeTable(crc32.Castagnoli)
	errHead    = errors.New("no head of a record")
)

func (h *head) time() time.Time { return time.UnixMicro(h.received).UTC() }

// rollback marks, in prev of a whole copy, one that an operator had take the
// place of a newer version.
const rollback = 1 << 63

// before returns the seq of the last record of the generation that a whole copy
// follows, 0 if it follows none.
func (h *head) before() uint64 {
	if h.kind == kindRemoved {
		return 0
	}
	return h.prev &^ rollback
}

func (h *head) rolledBack() bool { return h.kind == kindCopy && h.prev&rollback != 0 }

// size returns the octets of the whole record.
func (h *head) size() int64 { return int64(headSize) + int64(h.length) }

// measure enters length and checksum of the payload that follows the room for
// the head in frame.
func (h *head) measure(frame []byte) {
	h.length = uint32(len(frame) - headSize)
	h.sum = crc32.Checksum(frame[headSize:], castagnoli)
}

// encode writes the head to the beginning of frame, for a segment with that mark.
func (h *head) encode(frame []byte, m mark) {
	b := append(frame[:0], m[:]...)
	b = append(b, 0, 0, 0, 0, byte(h.kind))
	b = append(b, h.key[:]...)
	b = binary.LittleEndian.AppendUint64(b, h.seq)
	b = binary.LittleEndian.AppendUint64(b, h.prev)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.received))
	b = binary.LittleEndian.AppendUint32(b, h.serial)
	b = binary.LittleEndian.AppendUint32(b, h.length)
	b = binary.LittleEndian.AppendUint32(b, h.sum)
	binary.LittleEndian.PutUint32(b[len(m):], crc32.Checksum(b[len(m)+4:], castagnoli))
}

// decodeHead reads the head that b, of headSize octets, consists of.
func decodeHead(b []byte, m mark) (head, error) {
	if mark(b) != m || crc32.Checksum(b[len(m)+4:], castagnoli) != binary.LittleEndian.Uint32(b[len(m):]) {
		return head{}, errHead
	}
	b = b[len(m)+4:]
	h := head{kind: kind(b[0]), key: key(b[1:])}
	b = b[1+len(h.key):]
	h.seq = binary.LittleEndian.Uint64(b)
	h.prev = binary.LittleEndian.Uint64(b[8:])
	h.received = int64(binary.LittleEndian.Uint64(b[16:]))
	h.serial = binary.LittleEndian.Uint32(b[24:])
	h.length = binary.LittleEndian.Uint32(b[28:])
	h.sum = binary.LittleEndian.Uint32(b[32:])
	if h.kind < kindCopy || h.kind > kindRemoved || h.length > maxPayload {
		return head{}, errHead
	}
	return h, nil
}

// decodeRecord reads one whole record and returns its payload, which shares the
// octets of frame.
func decodeRecord(frame []byte, m mark) (head, []byte, error) {
	if len(frame) < headSize {
		return head{}, nil, fmt.Errorf("%w: %w", zone.ErrDamaged, errHead)
	}
	h, err := decodeHead(frame[:headSize], m)
	if err != nil {
		return head{}, nil, fmt.Errorf("%w: %w", zone.ErrDamaged, err)
	}
	payload := frame[headSize:]
	if int64(len(frame)) != h.size() || crc32.Checksum(payload, castagnoli) != h.sum {
		return head{}, nil, fmt.Errorf("%w: wrong checksum of a record", zone.ErrDamaged)
	}
	return h, payload, nil
}
