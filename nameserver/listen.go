package nameserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// sockets are the listeners of a server.
type sockets struct {
	addrs []netip.AddrPort
	udp   []udpSocket
	tcp   []*net.TCPListener
}

// udpSocket is one of the sockets that share an address.
type udpSocket struct {
	*net.UDPConn
	anyAddress bool // bound to the unspecified address
}

// listen opens workers UDP sockets and one TCP listener for each address.
//
// Sockets that share an address are opened with SO_REUSEPORT, and so would be
// those of a second daemon, which would then take half of the queries in
// silence. So each address is first bound without, which fails if anybody uses
// it.
func listen(addresses []string, workers int) (_ sockets, err error) {
	addrs := make([]netip.AddrPort, len(addresses))
	for i, text := range addresses {
		if addrs[i], err = netip.ParseAddrPort(text); err != nil {
			return sockets{}, fmt.Errorf("dns.listen %s: %w", text, err)
		}
		if addrs[i], err = claim(addrs[i]); err != nil {
			return sockets{}, err
		}
	}
	s := sockets{addrs: addrs}
	for _, addr := range addrs {
		if err := s.open(addr, workers); err != nil {
			return sockets{}, errors.Join(err, s.close())
		}
	}
	return s, nil
}

// open adds the sockets of an address that was claimed.
func (s *sockets) open(addr netip.AddrPort, workers int) error {
	config := net.ListenConfig{Control: controlSocket}
	if !canShare {
		workers = 1
	}
	for range workers {
		conn, err := config.ListenPacket(context.Background(), network("udp", addr), addr.String())
		if err != nil {
			return listenError("udp", addr, err)
		}
		s.udp = append(s.udp, udpSocket{conn.(*net.UDPConn), addr.Addr().IsUnspecified()})
	}
	listener, err := config.Listen(context.Background(), network("tcp", addr), addr.String())
	if err != nil {
		return listenError("tcp", addr, err)
	}
	s.tcp = append(s.tcp, listener.(*net.TCPListener))
	return nil
}

// stop wakes all that wait for a query, without closing what they still send on.
func (s *sockets) stop() error {
	var errs []error
	for _, u := range s.udp {
		errs = append(errs, u.SetReadDeadline(time.Unix(1, 0)))
	}
	for _, l := range s.tcp {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}

// close closes what stop did not.
func (s *sockets) close() error {
	var errs []error
	for _, u := range s.udp {
		errs = append(errs, u.Close())
	}
	for _, l := range s.tcp {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// network names the protocol and family, so that an IPv6 wildcard does not take
// IPv4 too.
func network(protocol string, addr netip.AddrPort) string {
	if addr.Addr().Is4() {
		return protocol + "4"
	}
	return protocol + "6"
}

// claim binds addr without sharing, and lets go of it. For port 0 it returns
// addr with a port that is free for both protocols.
func claim(addr netip.AddrPort) (netip.AddrPort, error) {
	const tries = 20 // for a port that is free for UDP to be free for TCP too
	var err error
	for range tries {
		var claimed netip.AddrPort
		if claimed, err = claimOnce(addr); err == nil {
			return claimed, nil
		}
		if addr.Port() != 0 {
			break
		}
	}
	return addr, err
}

func claimOnce(addr netip.AddrPort) (netip.AddrPort, error) {
	udp, err := net.ListenUDP(network("udp", addr), net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return addr, listenError("udp", addr, err)
	}
	addr = netip.AddrPortFrom(addr.Addr(), uint16(udp.LocalAddr().(*net.UDPAddr).Port))
	tcp, err := net.ListenTCP(network("tcp", addr), net.TCPAddrFromAddrPort(addr))
	if err != nil {
		return addr, errors.Join(listenError("tcp", addr, err), udp.Close())
	}
	return addr, errors.Join(udp.Close(), tcp.Close())
}

// listenError says what to do about an address that can't be bound.
func listenError(protocol string, addr netip.AddrPort, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("dns.listen %s: address already in use by another process (%s): stop it or choose another address", addr, protocol)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("dns.listen %s: this machine does not have that address (%s)", addr, protocol)
	case errors.Is(err, syscall.EACCES):
		return fmt.Errorf("dns.listen %s: permission denied (%s): ports below 1024 need root or CAP_NET_BIND_SERVICE", addr, protocol)
	}
	return fmt.Errorf("dns.listen %s (%s): %w", addr, protocol, err)
}
