package harness

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
)

// Ports are taken from below the range that the kernel gives to outgoing
// sockets, so that none of those takes one between our check and the use.
const (
	firstPort = 12000
	lastPort  = 32000
)

var given = struct {
	sync.Mutex
	ports map[uint16]bool
}{ports: make(map[uint16]bool)}

// FreeAddr is an address on 127.0.0.1 whose port is free for UDP and TCP and was
// not given out by this process before. Another process may still take it first:
// those who start servers try again then. It is safe for concurrent use.
func FreeAddr(t testing.TB) netip.AddrPort {
	t.Helper()
	given.Lock()
	defer given.Unlock()
	for range 1000 {
		port := uint16(firstPort + rand.IntN(lastPort-firstPort))
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port)
		if given.ports[port] || !free(addr) {
			continue
		}
		given.ports[port] = true
		return addr
	}
	t.Fatal("no free port")
	return netip.AddrPort{}
}

func free(addr netip.AddrPort) bool {
	tcp, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(addr))
	if err != nil {
		return false
	}
	defer tcp.Close()
	udp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(addr))
	if err != nil {
		return false
	}
	defer udp.Close()
	return true
}
