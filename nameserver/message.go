package nameserver

import (
	"encoding/binary"
	"math"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// section is a section of a message, as counted in its header.
type section int

const (
	questionSection section = iota
	answerSection
	authoritySection
	additionalSection
)

const (
	maxTTL     = math.MaxUint32
	questionAt = wire.HeaderSize // offset of the question's name
)

// message is an answer while it is written. RRsets go in whole or not at all,
// and no octet is ever written beyond the limit.
type message struct {
	buf    []byte // the message from its header on
	limit  int    // octets that the records may reach
	counts [4]uint16
	head   int // octets of header and question
	names  nameTable
	reader wire.Reader // for the query; here because it is scratch too
}

// owner is an owner name to write: the one at offset at of the message, or name
// if at is 0.
type owner struct {
	at   int
	name wire.Name
}

// reset makes the message a bare header, in out's memory.
func (m *message) reset(out []byte) {
	m.buf = append(out[:0], make([]byte, wire.HeaderSize)...)
	m.counts = [4]uint16{}
	m.head = len(m.buf)
	m.names.reset()
}

// begin writes the question, if there is one. Records may follow up to limit.
func (m *message) begin(question []byte, limit int) {
	if len(question) > 0 {
		m.buf = append(m.buf, question...)
		m.counts[questionSection] = 1
	}
	m.head, m.limit = len(m.buf), limit
}

// dropRecords takes the message back to its question.
func (m *message) dropRecords() {
	m.buf = m.buf[:m.head]
	m.counts = [4]uint16{questionSection: m.counts[questionSection]}
}

// finish writes the header and returns the message.
func (m *message) finish(id, flags uint16) []byte {
	wire.Header{
		ID: id, Flags: flags,
		QD: m.counts[questionSection], AN: m.counts[answerSection],
		NS: m.counts[authoritySection], AR: m.counts[additionalSection],
	}.Append(m.buf[:0])
	return m.buf
}

// addSet adds an RRset, with its signatures if signed, or nothing if it does
// not fit. No TTL goes above ttl.
func (m *message) addSet(s section, at owner, set zone.RRset, signed bool, ttl uint32) bool {
	mark, added, pos := len(m.buf), set.Len(), 0
	var rdata []byte
	for range set.Len() {
		rdata, pos = set.Record(pos)
		if !m.addRecord(&at, wire.ClassIN, set.Type, min(set.TTL, ttl), rdata) {
			m.buf = m.buf[:mark]
			return false
		}
	}
	if signed && set.Signatures() > 0 {
		if !m.addSignatures(&at, set, ttl) {
			m.buf = m.buf[:mark]
			return false
		}
		added += set.Signatures()
	}
	m.counts[s] += uint16(added)
	return true
}

// addSignatures adds the RRSIG records of a set, each with its own TTL
// (RFC 4034 section 3), not counted yet.
func (m *message) addSignatures(at *owner, set zone.RRset, ttl uint32) bool {
	for own, rdata := range set.Sigs() {
		if !m.addRecord(at, wire.ClassIN, wire.TypeRRSIG, min(own, ttl), rdata) {
			return false
		}
	}
	return true
}

// addOne adds a single record that is a whole RRset.
func (m *message) addOne(s section, at owner, class, t uint16, ttl uint32, rdata []byte) bool {
	mark := len(m.buf)
	if !m.addRecord(&at, class, t, ttl, rdata) {
		m.buf = m.buf[:mark]
		return false
	}
	m.counts[s]++
	return true
}

// addRecord writes one record, not counted yet, and makes at refer to its owner
// name for those that follow. If it does not fit, part of it may be left in buf.
func (m *message) addRecord(at *owner, class, t uint16, ttl uint32, rdata []byte) bool {
	if at.at != 0 {
		m.buf = binary.BigEndian.AppendUint16(m.buf, pointerTo(at.at))
	} else {
		place, ok := m.putName(at.name)
		if !ok {
			return false
		}
		at.at = place
	}
	if len(m.buf)+10 > m.limit {
		return false
	}
	b := binary.BigEndian.AppendUint16(m.buf, t)
	b = binary.BigEndian.AppendUint16(b, class)
	b = binary.BigEndian.AppendUint32(b, ttl)
	m.buf = append(b, 0, 0)
	start := len(m.buf)
	if !m.putRdata(t, rdata) {
		return false
	}
	binary.BigEndian.PutUint16(m.buf[start-2:], uint16(len(m.buf)-start))
	return true
}

// putRdata writes RDATA, compressing names in the types that RFC 3597 section 4
// allows it for.
func (m *message) putRdata(t uint16, rdata []byte) bool {
	head, names, ok := wire.Compressible(t)
	if !ok || head > len(rdata) {
		return m.put(rdata)
	}
	if !m.put(rdata[:head]) {
		return false
	}
	rest := rdata[head:]
	for range names {
		name := plainName(rest)
		if name == nil {
			break
		}
		if _, ok := m.putName(name); !ok {
			return false
		}
		rest = rest[len(name):]
	}
	return m.put(rest)
}

// put writes octets if they fit.
func (m *message) put(b []byte) bool {
	if len(m.buf)+len(b) > m.limit {
		return false
	}
	m.buf = append(m.buf, b...)
	return true
}

// plainName returns the uncompressed name that b begins with, nil if there is none.
func plainName(b []byte) wire.Name {
	for i := 0; i < len(b) && i < wire.MaxName && b[i] <= wire.MaxLabel; i += int(b[i]) + 1 {
		if b[i] == 0 {
			return wire.Name(b[:i+1])
		}
	}
	return nil
}
