package soak

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"
)

// What a junk packet may get.
const (
	notSent = iota
	anything
	silence
)

const (
	headerSize  = 12
	responseBit = 0x80 // QR, in the third octet
)

// junk sends what is no query or a broken one. There may be an answer, but never
// to an answer.
func (s *soak) junk(ctx context.Context, from netip.Addr) {
	conn := s.dialUDP(ctx, from)
	if conn == nil {
		return
	}
	defer conn.Close()
	var expected [1 << 16]byte // by ID
	a := &asker{zones: s.zones}
	for id := uint16(0); rest(ctx, s.scale.queryPause); {
		for range burstSize {
			id++
			packet, err := a.question(id).msg.Pack()
			if err != nil {
				s.faults.add("query: %v", err)
				return
			}
			packet, expected[id] = spoil(packet)
			_, _ = conn.Write(packet) // ICMP errors of earlier ones show here
		}
		s.counts.junk.Add(burstSize)
		s.collectJunk(conn, expected[:])
	}
}

// spoil makes junk of a query and keeps its ID, as far as there is one.
func spoil(query []byte) (packet []byte, expect byte) {
	id := binary.BigEndian.Uint16(query)
	packet = query
	switch rand.IntN(4) {
	case 0:
		packet = packet[:rand.IntN(len(packet))]
	case 1:
		packet = append(packet, make([]byte, rand.IntN(2000))...)
	case 2:
		packet = make([]byte, rand.IntN(600))
		for i := range packet {
			packet[i] = byte(rand.Uint32())
		}
	}
	for range rand.IntN(5) {
		if len(packet) > 0 {
			packet[rand.IntN(len(packet))] = byte(rand.Uint32())
		}
	}
	if len(packet) >= 2 {
		binary.BigEndian.PutUint16(packet, id)
	}
	if len(packet) < headerSize || packet[2]&responseBit != 0 {
		return packet, silence
	}
	return packet, anything
}

// collectJunk takes what has come and waits no longer.
func (s *soak) collectJunk(conn net.Conn, expected []byte) {
	buf := make([]byte, 65535)
	for {
		if err := conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
			s.faults.add("UDP socket: %v", err)
			return
		}
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		if n < headerSize || buf[2]&responseBit == 0 {
			s.faults.add("junk got something that is no answer: %x", buf[:n])
			continue
		}
		if id := binary.BigEndian.Uint16(buf); expected[id] != anything {
			s.faults.add("junk with ID %d was answered: %x", id, buf[:n])
		}
	}
}
