package nameserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
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

// listen opens workers UDP sockets and one TCP listener for each address that
// no wildcard among the addresses covers.
func listen(addresses []string, workers int) (_ sockets, err error) {
	if !canShare {
		workers = 1
	}
	s := sockets{addrs: make([]netip.AddrPort, len(addresses))}
	for i, text := range addresses {
		if s.addrs[i], err = netip.ParseAddrPort(text); err != nil {
			return sockets{}, fmt.Errorf("dns.listen %s: %w", text, err)
		}
	}
	for i, addr := range s.addrs {
		if covered(s.addrs, i) {
			continue
		}
		if s.addrs[i], err = s.open(addr, workers); err != nil {
			return sockets{}, errors.Join(err, s.close())
		}
	}
	return s, nil
}

// covered reports whether the sockets of another of addrs take what is sent to
// addrs[i]: those of a wildcard, or of the same address earlier in the list.
func covered(addrs []netip.AddrPort, i int) bool {
	addr := addrs[i]
	if addr.Port() == 0 {
		return false
	}
	for j, other := range addrs {
		wildcard := other.Addr().IsUnspecified() && !addr.Addr().IsUnspecified() &&
			other.Port() == addr.Port() && other.Addr().Is4() == addr.Addr().Is4()
		if wildcard || j < i && other == addr {
			return true
		}
	}
	return false
}

// open adds the sockets of an address and returns it with its port.
//
// Sockets that share an address have SO_REUSEPORT, and so would those of a second
// daemon, which would then take half of the queries in silence. So the first one
// is bound without, which fails if anybody uses the address, and shares it
// afterwards. From then on nothing that arrives is lost: no socket is closed.
func (s *sockets) open(addr netip.AddrPort, workers int) (netip.AddrPort, error) {
	first, listener, err := claim(addr)
	if err != nil {
		return addr, err
	}
	addr = withPortOf(addr, first)
	s.tcp = append(s.tcp, listener)
	anyAddress := addr.Addr().IsUnspecified()
	s.udp = append(s.udp, udpSocket{first, anyAddress})
	if workers == 1 {
		return addr, nil
	}
	if err := share(first); err != nil {
		return addr, listenError("udp", addr, err)
	}
	for range workers - 1 {
		conn, err := bindUDP(addr, controlShared)
		if err != nil {
			return addr, err
		}
		s.udp = append(s.udp, udpSocket{conn, anyAddress})
	}
	return addr, nil
}

// close closes those that are open.
func (s *sockets) close() error {
	var errs []error
	for _, u := range s.udp {
		errs = append(errs, u.Close())
	}
	for _, l := range s.tcp {
		errs = append(errs, l.Close())
	}
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return errors.Is(err, net.ErrClosed) })...)
}

// network names the protocol and family, so that an IPv6 wildcard does not take
// IPv4 too.
func network(protocol string, addr netip.AddrPort) string {
	if addr.Addr().Is4() {
		return protocol + "4"
	}
	return protocol + "6"
}

// claim binds addr, for UDP and TCP, for nobody else. For port 0 it finds one
// that is free for both.
func claim(addr netip.AddrPort) (udp *net.UDPConn, tcp *net.TCPListener, err error) {
	const tries = 20 // for a port that is free for UDP to be free for TCP too
	for range tries {
		if udp, tcp, err = claimOnce(addr); err == nil || addr.Port() != 0 {
			break
		}
	}
	return udp, tcp, err
}

func claimOnce(addr netip.AddrPort) (*net.UDPConn, *net.TCPListener, error) {
	udp, err := bindUDP(addr, controlSocket)
	if err != nil {
		return nil, nil, err
	}
	addr = withPortOf(addr, udp)
	tcp, err := net.ListenTCP(network("tcp", addr), net.TCPAddrFromAddrPort(addr))
	if err != nil {
		return nil, nil, errors.Join(listenError("tcp", addr, err), udp.Close())
	}
	return udp, tcp, nil
}

// withPortOf returns addr with the port that conn got: its own, unless that is 0.
func withPortOf(addr netip.AddrPort, conn *net.UDPConn) netip.AddrPort {
	return netip.AddrPortFrom(addr.Addr(), conn.LocalAddr().(*net.UDPAddr).AddrPort().Port())
}

// bindUDP opens a UDP socket with the options that control sets.
func bindUDP(addr netip.AddrPort, control func(network, address string, conn syscall.RawConn) error) (*net.UDPConn, error) {
	config := net.ListenConfig{Control: control}
	conn, err := config.ListenPacket(context.Background(), network("udp", addr), addr.String())
	if err != nil {
		return nil, listenError("udp", addr, err)
	}
	return conn.(*net.UDPConn), nil
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
