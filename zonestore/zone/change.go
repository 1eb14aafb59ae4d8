package zone

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"secondaryd/internal/wire"
)

// What makes changes no difference of the version they are applied to.
var (
	ErrMissing = errors.New("record to be deleted is not in the zone")
	ErrPresent = errors.New("record to be added is in the zone already")
)

// A changeKind says what a record is in a batch of records and changes.
type changeKind uint8

const (
	kept changeKind = iota // was there before
	deletion
	addition
)

// Changes are written down one behind the other, so that they can be kept on
// disk and made again. Numbers are in network byte order:
//
//	u8 kind, u8 size of the owner's name (0: the same as before), name
//	u16 type, u32 TTL (0 in a deletion), u16 size, RDATA
const (
	changeHead = 2
	changeBody = 8
)

// change is a change of one node, which is described in octets at at.
type change struct {
	node uint32
	at   uint32 // where its type begins
	kind changeKind
}

// appendChange writes a change down.
func appendChange(b []byte, kind changeKind, owner wire.Name, t uint16, ttl uint32, rdata []byte) []byte {
	b = append(b, byte(kind), byte(len(owner)))
	b = append(b, owner...)
	b = binary.BigEndian.AppendUint16(b, t)
	b = binary.BigEndian.AppendUint32(b, ttl)
	b = binary.BigEndian.AppendUint16(b, uint16(len(rdata)))
	return append(b, rdata...)
}

// readBody reads what follows the owner of a change.
func readBody(b []byte) (t uint16, ttl uint32, rdata, rest []byte, ok bool) {
	if len(b) < changeBody {
		return 0, 0, nil, nil, false
	}
	size := int(binary.BigEndian.Uint16(b[6:]))
	if len(b)-changeBody < size {
		return 0, 0, nil, nil, false
	}
	return binary.BigEndian.Uint16(b), binary.BigEndian.Uint32(b[2:]), b[changeBody : changeBody+size], b[changeBody+size:], true
}

// readOwner reads how a change begins; the owner is the last one if it is not
// told again.
func readOwner(b []byte, last wire.Name) (kind changeKind, owner wire.Name, rest []byte, ok bool) {
	if len(b) < changeHead || len(b)-changeHead < int(b[1]) {
		return 0, nil, nil, false
	}
	kind, owner, rest = changeKind(b[0]), wire.Name(b[changeHead:changeHead+int(b[1])]), b[changeHead+int(b[1]):]
	if len(owner) == 0 {
		return kind, last, rest, last != nil
	}
	end, err := wire.SkipName(owner, 0)
	return kind, owner, rest, err == nil && end == len(owner)
}

// addChange takes a change of the records taken before.
func (b *batch) addChange(kind changeKind, t uint16, ttl uint32, rdata []byte) {
	b.add(t, ttl, rdata)
	b.records[len(b.records)-1].change = kind
}

// change makes the changes of the records before them, in order, and leaves
// the records that result, tidied.
func (b *batch) change() error {
	slices.SortStableFunc(b.records, b.compare)
	result := b.records[:0]
	for life := range runs(b.records, func(x, y record) bool { return b.compare(x, y) == 0 }) {
		last, there, err := replay(life)
		if err != nil {
			return fmt.Errorf("type %d: %w", last.group, err)
		}
		if there {
			last.change = kept
			result = append(result, last)
		}
	}
	b.records = result
	return nil
}

// replay follows the life of one record and tells whether it is there at last.
func replay(life []record) (last record, there bool, err error) {
	for _, last = range life {
		switch {
		case last.change == deletion && !there:
			return last, false, ErrMissing
		case last.change == addition && there:
			return last, false, ErrPresent
		}
		there = last.change != deletion
	}
	return last, there, nil
}
