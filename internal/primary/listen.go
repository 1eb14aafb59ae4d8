package primary

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"github.com/miekg/dns"
)

const networkTLS = "tls"

const (
	portTries   = 50
	maxMessages = 64 // datagrams answered at once
	idleTimeout = 30 * time.Second
)

// listen opens UDP and TCP on one port. The kernel picks a port for one of them
// only, so that a port 0 is tried until it is free for the other too.
func listen(address string) (net.PacketConn, net.Listener, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, nil, fmt.Errorf("listen: %w", err)
	}
	var config net.ListenConfig
	for range portTries {
		var tcp net.Listener
		if tcp, err = config.Listen(context.Background(), "tcp", address); err != nil {
			return nil, nil, fmt.Errorf("listen: %w", err)
		}
		_, picked, _ := net.SplitHostPort(tcp.Addr().String())
		var udp net.PacketConn
		if udp, err = config.ListenPacket(context.Background(), "udp", net.JoinHostPort(host, picked)); err == nil {
			return udp, tcp, nil
		}
		_ = tcp.Close() // the error of the other one is what matters
		if port != "0" || !errors.Is(err, syscall.EADDRINUSE) {
			break
		}
	}
	return nil, nil, fmt.Errorf("listen: %w", err)
}

func (s *Server) serveUDP(all *sync.WaitGroup) error {
	slots := make(chan struct{}, maxMessages)
	buf := make([]byte, dns.MaxMsgSize)
	for {
		n, from, err := s.udp.ReadFrom(buf)
		if err != nil {
			return fmt.Errorf("udp: %w", err)
		}
		raw := append([]byte(nil), buf[:n]...)
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			remote := from.(*net.UDPAddr).AddrPort()
			write := func(msg []byte) error {
				_, err := s.udp.WriteTo(msg, from)
				return err
			}
			// One bad datagram is not the end of the others.
			_ = s.serve(raw, "udp", remote, write, nil)
		})
	}
}

// serveStream answers over the connections of a listener of TCP or of TLS.
func (s *Server) serveStream(ctx context.Context, all *sync.WaitGroup, network string, listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return fmt.Errorf("%s: %w", network, err)
		}
		all.Go(func() {
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
			if network == networkTLS && !s.handshake(ctx, conn.(*tls.Conn)) {
				return
			}
			for s.serveOne(network, conn) == nil {
			}
		})
	}
}

// handshake begins the TLS session of a connection. If it comes to nothing, it
// waits for the client to go: closing before may take from it the alert that
// says why.
func (s *Server) handshake(ctx context.Context, conn *tls.Conn) bool {
	if err := conn.SetDeadline(time.Now().Add(idleTimeout)); err != nil {
		return false
	}
	err := conn.HandshakeContext(ctx)
	if err != nil {
		s.log("primary: TLS with %s, error: %v", conn.RemoteAddr(), err)
		_, _ = io.Copy(io.Discard, conn.NetConn())
	}
	return err == nil
}

// serveOne answers the next request of a connection; an error ends it.
func (s *Server) serveOne(network string, conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(idleTimeout)); err != nil {
		return err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return err
	}
	raw := make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, raw); err != nil {
		return err
	}
	write := func(msg []byte) error {
		if len(msg) > dns.MaxMsgSize {
			return fmt.Errorf("message of %d octets", len(msg))
		}
		_, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...))
		return err
	}
	return s.serve(raw, network, conn.RemoteAddr().(*net.TCPAddr).AddrPort(), write, conn)
}

// serve answers one request as the script in force says.
func (s *Server) serve(raw []byte, network string, remote netip.AddrPort,
	write func([]byte) error, conn net.Conn,
) error {
	req := new(dns.Msg)
	if err := req.Unpack(raw); err != nil || req.Response || len(req.Question) != 1 {
		return errors.New("not a request")
	}
	e := &Exchange{Request: req, Network: network, Remote: remote, server: s, write: write, conn: conn}
	e.authenticate(raw)
	s.count(req.Question[0])
	script := Script(Honest)
	if p := s.script.Load(); p != nil {
		script = *p
	}
	err := script(e)
	q := req.Question[0]
	s.log("primary: %s %s from %s by %s, error: %v", q.Name, dns.TypeToString[q.Qtype], remote, network, err)
	return err
}

func (s *Server) count(q dns.Question) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[question{dns.CanonicalName(q.Name), q.Qtype}]++
}
