package e2e

import (
	"crypto/tls"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/certtest"
	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

// TestXoT has a zone come over TLS (RFC 9103) from a primary that wants a client
// certificate, before and after a restart, and looks at what the operator is
// told when it can't. The primary listens in clear too and must not be asked so.
func TestXoT(t *testing.T) {
	t.Parallel()
	ca := certtest.Authority(t)
	server, client := ca.Issue(t, "primary.test"), ca.Issue(t, "secondary.test")
	p := startPrimary(t, primary.Options{
		Zones: []primary.Zone{{Name: zoneName, Records: zoneOf(t, zoneName, 1, lazy), Key: key.Name}},
		Keys:  []primary.Key{primary.Key(key)},
		TLS: &tls.Config{
			Certificates: []tls.Certificate{server.TLS()}, NextProtos: []string{"dot"},
			ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.Pool(),
		},
	})
	var networks sync.Map
	p.Script(func(e *primary.Exchange) error {
		networks.Store(e.Network, true)
		return primary.Honest(e)
	})
	d := harness.StartDaemon(t, harness.DaemonOptions{LogLevel: "debug"})
	right := harness.TLS{
		Name: "primary.test.", CACertificate: ca.PEM(), Pins: []string{server.Pin()},
		ClientCertificate: client.PEM(), ClientKey: client.KeyPEM(t),
	}
	peer := d.Client.CreatePeer(t, harness.Peer{
		Name: "p", IP: loopback.String(), Port: int(p.TLSAddr().Port()), IXFR: true,
		TSIGID: d.Client.CreateTSIG(t, key).ID, TLS: &right,
	})
	if peer.TLS.ClientKey != "" {
		t.Error("the answer holds the private key")
	}
	peer.TLS = &right // with the key
	d.Zone(t, zoneName, peer)
	harness.WaitSerial(t, d.DNS, zoneName, 1)

	f := &failures{daemon: d, zone: zoneName, serial: 1, peer: peer}
	f.next = func(uint32) { p.bump(t, zoneName) }
	wrong := func(change func(*harness.TLS)) func(*harness.Peer) {
		conf := right
		change(&conf)
		return func(p *harness.Peer) { p.TLS = &conf }
	}
	reasons := make(map[string]reason)
	for _, c := range []failure{
		{"another pin", []string{"TLS"}, wrong(func(c *harness.TLS) { c.Pins = []string{client.Pin()} })},
		{"another name", []string{"TLS"}, wrong(func(c *harness.TLS) { c.Name = "other.test" })},
		{"another authority", []string{"TLS"}, wrong(func(c *harness.TLS) { c.CACertificate = client.PEM() })},
		{"no client certificate", []string{"TLS"}, wrong(func(c *harness.TLS) { c.ClientCertificate, c.ClientKey = "", "" })},
		{"the port of TCP", []string{"TLS"}, func(peer *harness.Peer) { peer.Port = int(p.Addr().Port()) }},
		{"a closed port", []string{"connect"}, closedPort(t)},
	} {
		reasons[c.name] = f.play(t, c)
	}
	distinct(t, reasons)

	d.Restart(t)
	f.next(f.serial + 1)
	d.Client.ForceAXFR(t, zoneName)
	harness.WaitSerial(t, d.DNS, zoneName, f.serial+1)
	networks.Range(func(network, _ any) bool {
		if network != "tls" {
			t.Errorf("the primary was asked by %s", network)
		}
		return true
	})
	if n := p.Seen(zoneName, dns.TypeIXFR); n == 0 {
		t.Error("no IXFR was asked for")
	}
	secret := strings.Split(client.KeyPEM(t), "\n")[1]
	if text := fmt.Sprint(d.Log.Find(0, func(harness.Entry) bool { return true })); strings.Contains(text, secret) {
		t.Error("the private key is in the log")
	}
}
