package soak

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// hoard keeps n connections open that do nothing of use; more than one address
// may have are closed at once.
func (s *soak) hoard(ctx context.Context, from netip.Addr, n int) {
	var all sync.WaitGroup
	defer all.Wait()
	for range n {
		all.Go(func() {
			for rest(ctx, 50*time.Millisecond) {
				if conn := s.dialTCP(ctx, from); conn != nil {
					s.occupy(ctx, conn)
				}
			}
		})
	}
}

// occupy holds a connection until the daemon closes it, which it must.
func (s *soak) occupy(ctx context.Context, conn *net.TCPConn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if err := conn.SetDeadline(time.Now().Add(tcpLimit)); err != nil {
		return // ctx has closed it
	}
	use := misuses[rand.IntN(len(misuses))]
	if rand.IntN(100) == 0 {
		use = flood
	}
	if err := use.do(ctx, conn, s.bigQuery); err != nil {
		return // the daemon has closed it already, or ctx
	}
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		s.faults.add("TCP: a connection with %s stayed open for %v", use.name, tcpLimit)
	}
}

// misuse is what a client does before it only waits.
type misuse struct {
	name string
	do   func(ctx context.Context, conn *net.TCPConn, query []byte) error
}

var misuses = []misuse{
	{"no query", func(context.Context, *net.TCPConn, []byte) error { return nil }},
	{"half a length", func(_ context.Context, conn *net.TCPConn, query []byte) error { return write(conn, query[:1]) }},
	{"half a query", func(_ context.Context, conn *net.TCPConn, query []byte) error {
		return write(conn, query[:len(query)/2])
	}},
	{"an empty query", func(_ context.Context, conn *net.TCPConn, _ []byte) error { return write(conn, make([]byte, 2)) }},
	{"a long query", func(_ context.Context, conn *net.TCPConn, _ []byte) error {
		return write(conn, append([]byte{0xff, 0xff}, make([]byte, 60000)...))
	}},
	{"one query", func(_ context.Context, conn *net.TCPConn, query []byte) error { return write(conn, query) }},
}

// flood asks more than the buffers between the two hold answers for, and does
// not read while the daemon is willing to wait.
var flood = misuse{"a flood", func(ctx context.Context, conn *net.TCPConn, query []byte) error {
	if err := conn.SetReadBuffer(4096); err != nil {
		return err
	}
	for range 4000 {
		if err := write(conn, query); err != nil {
			return err
		}
	}
	rest(ctx, writeTimeout)
	return nil
}}

func write(conn net.Conn, octets []byte) error {
	_, err := conn.Write(octets)
	return err
}

// makeBigQuery is a query, as TCP has it, whose answer is far larger.
func makeBigQuery(t testing.TB, z *zone) []byte {
	t.Helper()
	raw, err := new(dns.Msg).SetQuestion("hundred."+z.name, dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(raw))), raw...)
}
