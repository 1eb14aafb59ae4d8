package registry

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"secondaryd/zonestore/auditlog"
)

// The body of a record of the audit log is its particulars as JSON, and objects:
//
//	octets 0-3   octets of the JSON, which follows
//	each object:
//	  1 octet    kind
//	  2 octets   octets of the id, which follows
//	  4 octets   octets of the value before, which follows; 0 for none
//	  4 octets   octets of the value after, which follows; 0 for none
//
// with numbers in network byte order. Snapshots hold objects without a before.
type (
	transactionNote struct {
		Time  time.Time `json:"time"`
		Actor Actor     `json:"actor,omitzero"`
	}
	snapshotNote struct {
		Time time.Time `json:"time"`
		Why  string    `json:"why"`
	}
)

var errBody = errors.New("what a record says can't be read")

// appendNote begins a body.
func appendNote(b []byte, note any) []byte {
	text, err := json.Marshal(note)
	if err != nil {
		panic(fmt.Sprintf("registry: encode a record of the audit log: %v", err)) // texts and times can be marshalled
	}
	b = binary.BigEndian.AppendUint32(b, uint32(len(text)))
	return append(b, text...)
}

// replacementHead is the octets of an object without its texts.
const replacementHead = 1 + 2 + 4 + 4

func appendReplacement(b []byte, r Replacement) []byte {
	b = append(b, byte(r.Kind))
	b = binary.BigEndian.AppendUint16(b, uint16(len(r.ID)))
	b = append(b, r.ID...)
	for _, value := range [][]byte{r.Before, r.Value} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(value)))
		b = append(b, value...)
	}
	return b
}

// usualNote is more octets than the particulars of a transaction have, as a rule.
const usualNote = 256

// record is a transaction as it is logged.
func (t *Transaction) record(after head) auditlog.Record {
	size := usualNote
	for _, r := range t.Changes {
		size += replacementHead + len(r.ID) + len(r.Before) + len(r.Value)
	}
	body := appendNote(make([]byte, 0, size), transactionNote{t.Time, t.Actor})
	for _, r := range t.Changes {
		if r.Before != nil || r.Value != nil { // else it was created and deleted again
			body = appendReplacement(body, r)
		}
	}
	return auditlog.Record{Kind: auditlog.KindTransaction, Mark: after.mark(), Body: body}
}

// decodeBody reads a body: its particulars into note, and the objects. They share
// the memory of the body.
func decodeBody(body []byte, note any, yield func(Replacement) error) error {
	text, rest, ok := cut(body, 4)
	if !ok || json.Unmarshal(text, note) != nil {
		return errBody
	}
	for len(rest) > 0 {
		r := Replacement{Entry: Entry{Kind: Kind(rest[0])}}
		var id []byte
		id, rest, ok = cut(rest[1:], 2)
		if ok {
			r.Before, rest, ok = cut(rest, 4)
		}
		if ok {
			r.Value, rest, ok = cut(rest, 4)
		}
		if r.ID = string(id); !ok || r.Kind < kinds[0] || r.Kind > kinds[len(kinds)-1] {
			return errBody
		}
		if err := yield(r); err != nil {
			return err
		}
	}
	return nil
}

// cut takes a size of so many octets and what it measures from the beginning of
// b; nil if that is nothing.
func cut(b []byte, size int) (value, rest []byte, ok bool) {
	if len(b) < size {
		return nil, nil, false
	}
	n := uint64(0)
	for _, c := range b[:size] {
		n = n<<8 | uint64(c)
	}
	if b = b[size:]; n > uint64(len(b)) {
		return nil, nil, false
	}
	if n == 0 {
		return nil, b, true
	}
	return b[:n:n], b[n:], true
}

// snapshotChunk is about how large the records of a snapshot are.
const snapshotChunk = 256 << 10

// snapshot puts all objects of a file into records.
func (f *boltFile) snapshot(why string, now time.Time, put func(auditlog.Record) error) error {
	h, err := f.head()
	if err != nil {
		return err
	}
	note := snapshotNote{now, why}
	body := appendNote(nil, note)
	empty := len(body)
	flush := func(kind auditlog.Kind) error {
		err := put(auditlog.Record{Kind: kind, Mark: h.mark(), Body: body})
		body = body[:empty]
		return err
	}
	_, err = f.load(func(e Entry) error {
		if body = appendReplacement(body, Replacement{Entry: e}); len(body) < snapshotChunk {
			return nil
		}
		return flush(auditlog.KindObjects)
	})
	if err != nil {
		return err
	}
	return flush(auditlog.KindSnapshot) // with the objects that are left
}
