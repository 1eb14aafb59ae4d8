package registry

import "net/netip"

// Ports that are asked when a peer names none.
const (
	defaultPort    = 53
	defaultPortTLS = 853 // RFC 9103 section 7.3
)

// Peer is a server that zones are fetched from. A nil member is one the user
// did not set; answers leave it out.
type Peer struct {
	ID       string
	Account  string
	Name     string
	IP       *string // as sent
	Port     *uint16
	IXFR     *bool
	TSIG     *string // id of the key that signs what is sent to the peer
	TLS      *PeerTLS
	Source   *string // address that the peer is asked from; nil: the server's setting
	Revision uint64
}

// AddrPort is where the peer listens; false when it has no address yet.
func (p Peer) AddrPort() (netip.AddrPort, bool) {
	if p.IP == nil {
		return netip.AddrPort{}, false
	}
	addr, err := netip.ParseAddr(*p.IP)
	if err != nil {
		return netip.AddrPort{}, false
	}
	port := uint16(defaultPort)
	switch {
	case p.Port != nil && *p.Port != 0:
		port = *p.Port
	case p.TLS != nil:
		port = defaultPortTLS
	}
	return netip.AddrPortFrom(addr.Unmap(), port), true
}

// SourceAddr is the address that the peer is asked from, the zero one if that is
// left to the server.
func (p Peer) SourceAddr() netip.Addr {
	if p.Source == nil {
		return netip.Addr{}
	}
	addr, _ := netip.ParseAddr(*p.Source) // checked when it was stored
	return addr.Unmap()
}

func (p *Peer) key() key         { return key{KindPeer, p.ID} }
func (p *Peer) account() string  { return p.Account }
func (p *Peer) revision() uint64 { return p.Revision }

func (p *Peer) clone() Peer {
	c := *p
	c.IP, c.Port = clonePointer(p.IP), clonePointer(p.Port)
	c.IXFR, c.TSIG = clonePointer(p.IXFR), clonePointer(p.TSIG)
	c.TLS, c.Source = p.TLS.clone(), clonePointer(p.Source)
	return c
}

func clonePointer[T any](p *T) *T {
	if p == nil {
		return nil
	}
	return new(*p)
}
