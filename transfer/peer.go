package transfer

import (
	"crypto/tls"
	"net/netip"
	"slices"

	"secondaryd/internal/tsig"
	"secondaryd/zonestore/registry"
)

// peer is a primary as a refresh sees it.
type peer struct {
	id   string
	addr netip.AddrPort // zero: none configured
	key  *tsig.Key      // nil: unsigned
	tls  *tls.Config    // nil: in clear
	ixfr bool           // it is to be asked for differences
	// source is the address of ours that it is asked from; zero: as for all.
	source netip.Addr
	fact   error // why the peer can't be asked at all
}

// label names the peer in logs and metrics.
func (p peer) label() string {
	if !p.addr.IsValid() {
		return p.id
	}
	return p.addr.String()
}

// way is how the peer is connected to.
func (p peer) way() way { return way{p.addr, p.source, p.tls} }

// resolver makes peers of the configuration.
type resolver struct {
	registry *registry.Registry
	tls      tlsConfigs
}

// peersOf returns the peers of the zone with that id in the order they are configured.
func (r *resolver) peersOf(zone string) []peer {
	z, _ := r.registry.Zone(zone)
	peers := make([]peer, 0, len(z.Peers))
	for _, id := range z.Peers {
		if conf, ok := r.registry.Peer(id); ok {
			peers = append(peers, r.resolve(conf))
		}
	}
	return peers
}

func (r *resolver) resolve(conf registry.Peer) peer {
	p := peer{id: conf.ID}
	addr, ok := conf.AddrPort()
	if !ok {
		p.fact = &Error{Step: StepConnect, Cause: CauseNoAddress}
		return p
	}
	p.addr, p.ixfr, p.source = addr, conf.IXFR != nil && *conf.IXFR, conf.SourceAddr()
	if conf.TLS != nil {
		var err error
		if p.tls, err = r.tls.of(conf); err != nil {
			p.fact = fail(StepTLS, CauseInternal, "%w", err)
			return p
		}
	}
	if conf.TSIG == nil {
		return p
	}
	key, ok := r.registry.TSIG(*conf.TSIG)
	if !ok {
		p.fact = fail(StepTSIG, CauseInternal, "key %s of the peer is missing", *conf.TSIG)
		return p
	}
	k, err := tsig.NewKey(key.Name, key.Algorithm, key.Secret.Reveal())
	if err != nil {
		p.fact = fail(StepTSIG, CauseInternal, "key %s: %w", key.Name, err)
	}
	p.key = k
	return p
}

// first moves the peers with that address to the front: who sent a NOTIFY is
// asked first (RFC 1996 section 3.11). It came from any port, so each peer at
// that address may have.
func first(peers []peer, addr netip.Addr) {
	slices.SortStableFunc(peers, func(a, b peer) int {
		switch atA, atB := a.addr.Addr() == addr, b.addr.Addr() == addr; {
		case atA == atB:
			return 0
		case atA:
			return -1
		default:
			return 1
		}
	})
}
