package registry

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
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
// every later format. It is 2 from the first object on of a kind that version 1
// does not know: a daemon that would miss those refuses the file.
const (
	headVersion1 = 1
	headVersion2 = 2
	headSize     = 2 + 3*8 + 4
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
	if version := binary.BigEndian.Uint16(b); version > headVersion2 {
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

// headVersionOf gives the version that a file has to have to hold the entries.
func headVersionOf(entries []Entry) uint16 {
	for _, e := range entries {
		if e.Kind > KindACL && e.Value != nil {
			return headVersion2
		}
	}
	return headVersion1
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
