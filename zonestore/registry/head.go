package registry

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"

	"secondaryd/zonestore/auditlog"
)

// head sums up a copy: its revision, how many objects it holds, and the sum
// (modulo 2^64) of a hash of each.
type head struct {
	version  uint16
	revision uint64
	count    uint64
	sum      uint64
}

// The stored head: format version (2 octets), revision, count and sum (8 each),
// CRC-32C of all before (4), in network byte order. The version stays first in
// every later format. Version 2 had kinds of objects that version 1 does not
// know; in both of them secrets lie in clear. In version 3 they are sealed: a
// daemon that can't open them refuses the file.
const (
	headVersion = 3
	headSize    = 2 + 3*8 + 4
)

func (h head) encode() []byte {
	b := make([]byte, 0, headSize)
	b = binary.BigEndian.AppendUint16(b, h.version)
	b = binary.BigEndian.AppendUint64(b, h.revision)
	b = binary.BigEndian.AppendUint64(b, h.count)
	b = binary.BigEndian.AppendUint64(b, h.sum)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeHead(b []byte) (head, error) {
	if len(b) < 6 {
		return head{}, errors.New("its head is missing or cut off")
	}
	body := b[:len(b)-4]
	if binary.BigEndian.Uint32(b[len(b)-4:]) != crc32.Checksum(body, castagnoli) {
		return head{}, errors.New("the checksum of its head does not match")
	}
	if version := binary.BigEndian.Uint16(b); version > headVersion {
		return head{}, fmt.Errorf("format %d: %w", version, ErrNewer)
	}
	if len(b) != headSize {
		return head{}, errors.New("its head has a wrong length")
	}
	return head{
		version:  binary.BigEndian.Uint16(b),
		revision: binary.BigEndian.Uint64(b[2:]),
		count:    binary.BigEndian.Uint64(b[10:]),
		sum:      binary.BigEndian.Uint64(b[18:]),
	}, nil
}

// mark is the head in the log's terms.
func (h head) mark() auditlog.Mark {
	return auditlog.Mark{Revision: h.revision, Count: h.count, Sum: h.sum}
}

func (h *head) add(e Entry)    { h.count++; h.sum += entryHash(e) }
func (h *head) remove(e Entry) { h.count--; h.sum -= entryHash(e) }

func entryHash(e Entry) uint64 {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte{byte(e.Kind), byte(len(e.ID))})
	_, _ = hash.Write([]byte(e.ID))
	_, _ = hash.Write(e.Value)
	return hash.Sum64()
}
