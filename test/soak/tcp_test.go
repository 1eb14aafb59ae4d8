package soak

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"time"

	"secondaryd/test/harness"
)

// tcpLimit bounds one round and whatever must come from the daemon by itself.
const tcpLimit = 30 * time.Second

// askTCP asks over one connection after the other, several queries at once.
func (s *soak) askTCP(ctx context.Context, from netip.Addr) {
	a := &asker{zones: s.zones}
	for rest(ctx, s.scale.queryPause) {
		conn := s.dialTCP(ctx, from)
		if conn == nil {
			continue
		}
		err := s.askOver(ctx, conn, a)
		_ = conn.Close()
		if err != nil && ctx.Err() == nil && !s.stopping.Load() {
			s.faults.add("TCP: %v", err)
		}
	}
}

// dialTCP returns nil when there is no connection. That is a fault unless the
// daemon is stopping. The connection closes with ctx.
func (s *soak) dialTCP(ctx context.Context, from netip.Addr) *net.TCPConn {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: from.AsSlice()}, Timeout: tcpLimit}
	conn, err := dialer.DialContext(ctx, "tcp", s.daemon.DNS.String())
	if err == nil {
		s.counts.connections.Add(1)
		return conn.(*net.TCPConn)
	}
	if ctx.Err() == nil && !s.stopping.Load() {
		s.faults.add("TCP: %v", err)
	}
	return nil
}

// askOver uses a connection in one of the ways that clients do.
func (s *soak) askOver(ctx context.Context, conn *net.TCPConn, a *asker) error {
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	for range rand.IntN(10) {
		if err := s.round(conn, a, nil); err != nil {
			return err
		}
		rest(ctx, s.scale.queryPause)
	}
	switch rand.IntN(3) {
	case 0: // half closed, and still all answers come
		if err := s.round(conn, a, conn.CloseWrite); err != nil {
			return err
		}
		if _, err := harness.ReadFrame(conn); !errors.Is(err, io.EOF) {
			return fmt.Errorf("after the last answer: %w", err)
		}
	case 1: // reset in the middle of it
		if err := conn.SetLinger(0); err != nil {
			return err
		}
		_, _, err := s.send(conn, a)
		return err
	}
	return nil
}

// round sends queries at once, calls then, and reads the answers in any order.
func (s *soak) round(conn net.Conn, a *asker, then func() error) error {
	if err := conn.SetDeadline(time.Now().Add(tcpLimit)); err != nil {
		return err
	}
	asked, n, err := s.send(conn, a)
	if err == nil && then != nil {
		err = then()
	}
	if err != nil {
		return err
	}
	s.counts.queries.Add(int64(n))
	for len(asked) > 0 {
		raw, err := harness.ReadFrame(conn)
		if err != nil {
			return fmt.Errorf("%d of %d answers are missing: %w", len(asked), n, err)
		}
		if len(raw) < headerSize {
			return fmt.Errorf("answer of %d octets", len(raw))
		}
		id := binary.BigEndian.Uint16(raw)
		q := asked[id]
		if q == nil {
			return fmt.Errorf("answer with ID %d to nothing: %x", id, raw)
		}
		delete(asked, id)
		s.counts.answers.Add(1)
		if err := a.check(q, raw); err != nil {
			s.faults.add("TCP: %v", err)
		}
	}
	return nil
}

// send writes up to a hundred queries with one call.
func (s *soak) send(conn net.Conn, a *asker) (asked map[uint16]*question, n int, err error) {
	asked = make(map[uint16]*question)
	var out []byte
	first := uint16(rand.Uint32())
	n = 1 + rand.IntN(100)
	for i := range n {
		q := a.question(first + uint16(i))
		raw, err := q.msg.Pack()
		if err != nil {
			return nil, 0, err
		}
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(raw))), raw...)
		asked[q.msg.Id] = q
	}
	_, err = conn.Write(out)
	return asked, n, err
}
