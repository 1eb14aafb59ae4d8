package transfer

import (
	"encoding/binary"
	"net/netip"
	"sync"
	"time"

	"secondaryd/internal/wire"
)

// expiry is what a peer says its own copy has still to live, in seconds (RFC
// 7314). The zero value says nothing.
type expiry struct {
	seconds uint32
	given   bool
}

const (
	optionExpire  = 9
	optionPadding = 12
	optionHead    = 4    // octets of an empty option
	optSize       = 1232 // what we take by UDP (RFC 9715)

	// paddedTo is what the size of a padded query is a multiple of (RFC 8467
	// section 4.1).
	paddedTo = 128
)

// appendOPT puts an OPT record with an empty EXPIRE option behind a query (RFC
// 7314 section 4) and counts it in its header. With padding (RFC 7830), and
// with the rest, in octets, that is to follow, the query has a size that tells
// little of the zone's name.
func appendOPT(msg []byte, padded bool, rest int) []byte {
	binary.BigEndian.PutUint16(msg[10:], binary.BigEndian.Uint16(msg[10:])+1)
	msg = append(msg, 0) // the root
	msg = binary.BigEndian.AppendUint16(msg, wire.TypeOPT)
	msg = binary.BigEndian.AppendUint16(msg, optSize)
	msg = binary.BigEndian.AppendUint32(msg, 0) // extended rcode, version, flags
	start := len(msg)
	msg = append(msg, 0, 0) // the size of the options
	msg = append(msg, 0, optionExpire, 0, 0)
	if padded {
		over := (len(msg) + optionHead + rest) % paddedTo
		padding := (paddedTo - over) % paddedTo
		msg = append(msg, 0, optionPadding, 0, byte(padding))
		msg = append(msg, make([]byte, padding)...)
	}
	binary.BigEndian.PutUint16(msg[start:], uint16(len(msg)-start-2))
	return msg
}

// readExpire looks for an EXPIRE option in the RDATA of an OPT record. Options
// that run past its end are not looked at: nothing depends on them.
func readExpire(rdata []byte) expiry {
	for len(rdata) >= 4 {
		code, size := binary.BigEndian.Uint16(rdata), int(binary.BigEndian.Uint16(rdata[2:]))
		rdata = rdata[4:]
		if size > len(rdata) {
			break
		}
		if code == optionExpire && size == 4 {
			return expiry{seconds: binary.BigEndian.Uint32(rdata), given: true}
		}
		rdata = rdata[size:]
	}
	return expiry{}
}

// plainFor is how long a peer that can't do EDNS is asked without it.
const plainFor = time.Hour

// plainPeers remembers the peers that answered a query with EDNS by FORMERR,
// as those do that have never heard of it (RFC 6891 section 7).
type plainPeers struct {
	mu    sync.Mutex // guards until
	until map[netip.AddrPort]time.Time
}

func (p *plainPeers) has(addr netip.AddrPort, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	until, ok := p.until[addr]
	if ok && now.After(until) {
		delete(p.until, addr)
		return false
	}
	return ok
}

func (p *plainPeers) add(addr netip.AddrPort, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until == nil {
		p.until = map[netip.AddrPort]time.Time{}
	}
	p.until[addr] = now.Add(plainFor)
}
