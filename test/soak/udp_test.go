package soak

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"
)

const (
	// burstSize is how many queries of one client are under way.
	burstSize = 64
	// answerLimit is when an answer by UDP counts as lost. A test process
	// that does not get the CPU must not lose any.
	answerLimit = 3 * time.Second
)

// askUDP asks in bursts. What comes too late must not be taken for the answer to
// a later query of the same ID: after a loss there is another socket.
func (s *soak) askUDP(ctx context.Context, from netip.Addr) {
	a := &asker{zones: s.zones}
	for ctx.Err() == nil {
		conn := s.dialUDP(ctx, from)
		if conn == nil {
			return
		}
		for rest(ctx, s.scale.queryPause) && s.burst(conn, a) {
		}
		_ = conn.Close()
	}
}

// dialUDP returns nil, and it is a fault, when there is no socket.
func (s *soak) dialUDP(ctx context.Context, from netip.Addr) net.Conn {
	dialer := net.Dialer{LocalAddr: &net.UDPAddr{IP: from.AsSlice()}}
	conn, err := dialer.DialContext(ctx, "udp", s.daemon.DNS.String())
	if err == nil {
		return conn
	}
	if ctx.Err() == nil {
		s.faults.add("UDP socket: %v", err)
	}
	return nil
}

// burst asks and reports whether every query was answered.
func (s *soak) burst(conn net.Conn, a *asker) bool {
	asked := make(map[uint16]*question, burstSize)
	first := uint16(rand.Uint32())
	for i := range uint16(burstSize) {
		q := a.question(first + i)
		raw, err := q.msg.Pack()
		if err != nil {
			s.faults.add("query: %v", err)
			return false
		}
		if _, err := conn.Write(raw); err != nil {
			continue // no daemon is left: it counts as lost
		}
		asked[q.msg.Id] = q
	}
	s.counts.queries.Add(burstSize)
	s.collect(conn, a, asked)
	s.counts.answers.Add(int64(burstSize - len(asked)))
	return len(asked) == 0
}

// collect takes answers until no question is left open or time is up.
func (s *soak) collect(conn net.Conn, a *asker, asked map[uint16]*question) {
	buf := make([]byte, 65535)
	if err := conn.SetReadDeadline(time.Now().Add(answerLimit)); err != nil {
		s.faults.add("UDP socket: %v", err)
		return
	}
	for len(asked) > 0 {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		id := binary.BigEndian.Uint16(buf[:max(n, 2)])
		q := asked[id]
		if q == nil {
			s.faults.add("UDP answer with ID %d to nothing: %x", id, buf[:n])
			continue
		}
		delete(asked, id)
		if err := a.check(q, buf[:n]); err != nil {
			s.faults.add("UDP: %v", err)
		}
	}
}
