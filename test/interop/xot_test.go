package interop

import (
	"crypto/tls"
	"net"
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/certtest"
	"secondaryd/test/harness"
)

const primaryName = "primary.test"

// createTLSPeer makes a peer of the server's TLS side.
func createTLSPeer(t *testing.T, d *harness.Daemon, server *harness.Server, key *harness.Key, conf harness.TLS) harness.Peer {
	t.Helper()
	p := harness.Peer{
		Name: server.Name, IP: server.TLS.Addr().String(), Port: int(server.TLS.Port()), IXFR: true, TLS: &conf,
	}
	if key != nil {
		p.TSIGID = d.Client.CreateTSIG(t, *key).ID
	}
	return d.Client.CreatePeer(t, p)
}

// transferTLS is transfer over TLS.
func transferTLS(t *testing.T, addr netip.AddrPort, zone string, key *harness.Key, config *tls.Config) []record {
	t.Helper()
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: tcpTimeout}, "tcp", addr.String(), config)
	if err != nil {
		t.Fatal(err)
	}
	return transferOver(t, conn, zone, key)
}

// said matches a line of the daemon's log about a zone.
func said(message, zone string, more map[string]string) func(harness.Entry) bool {
	return func(e harness.Entry) bool {
		for field, text := range more {
			if e.Text(field) != text {
				return false
			}
		}
		return e.Message() == message && e.Text("zone") == zone
	}
}

// TestXoT has BIND give zones, and what changes in them, over TLS alone (RFC
// 9103), with TSIG and without.
func TestXoT(t *testing.T) {
	t.Parallel()
	ca := certtest.Authority(t)
	certificate := ca.Issue(t, primaryName)
	d := harness.StartDaemon(t, harness.DaemonOptions{LogLevel: "info"})
	all := zones(small(4294967295))
	for i := range all {
		all[i].History = true
	}
	primary := harness.BIND(t, harness.ServerOptions{
		Zones:  all,
		Keys:   keys,
		Notify: []netip.AddrPort{d.DNS},
		TLS:    &harness.ServerTLS{Certificate: certificate.PEM(), Key: certificate.KeyPEM(t)},
	})
	config := &tls.Config{RootCAs: ca.Pool(), ServerName: primaryName, NextProtos: []string{"dot"}}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			name := c.name + ".test."
			if m, err := harness.Query(primary.Addr, "tcp", name, dns.TypeAXFR); err != nil || m.Rcode != dns.RcodeRefused {
				t.Fatalf("a transfer in clear is answered with %v, %v", m, err)
			}
			d.Zone(t, name, createTLSPeer(t, d, primary, c.key, harness.TLS{
				Name: primaryName, CACertificate: ca.PEM(), Pins: []string{certificate.Pin()},
			}))
			harness.WaitSerial(t, d.DNS, name, 4294967295)
			compare(newZone(name, transferTLS(t, primary.TLS, name, c.key, config)), d.DNS, primary.Addr, 1).report(t, primary.Name)
			primary.Reload(t, name, changed(t, name, 5), 5)
			harness.WaitSerial(t, d.DNS, name, 5)
			compare(newZone(name, transferTLS(t, primary.TLS, name, c.key, config)), d.DNS, primary.Addr, 1).report(t, primary.Name)
			for _, kind := range []string{"axfr", "ixfr"} {
				d.WaitLog(t, said("zone transferred", name, map[string]string{"kind": kind, "peer": primary.TLS.String()}), "transfer by "+kind)
			}
		})
	}
}

// TestXoTClientCertificate has BIND give zones to those alone whose certificate
// it trusts.
func TestXoTClientCertificate(t *testing.T) {
	t.Parallel()
	ca, stranger := certtest.Authority(t), certtest.Authority(t)
	certificate := ca.Issue(t, primaryName)
	d := harness.StartDaemon(t, harness.DaemonOptions{LogLevel: "info"})
	var all []harness.Zone
	for _, name := range []string{"trusted.test.", "stranger.test.", "none.test."} {
		all = append(all, harness.Zone{Name: name, Text: harness.ZoneSmall(name, 1)})
	}
	primary := harness.BIND(t, harness.ServerOptions{
		Zones: all,
		TLS:   &harness.ServerTLS{Certificate: certificate.PEM(), Key: certificate.KeyPEM(t), ClientCA: ca.PEM()},
	})
	pins := []string{certificate.Pin()}
	shown := func(client *certtest.Certificate) harness.TLS {
		return harness.TLS{Pins: pins, ClientCertificate: client.PEM(), ClientKey: client.KeyPEM(t)}
	}
	d.Zone(t, "trusted.test.", createTLSPeer(t, d, primary, nil, shown(ca.Issue(t, "secondary.test"))))
	harness.WaitSerial(t, d.DNS, "trusted.test.", 1)
	for name, conf := range map[string]harness.TLS{
		"stranger.test.": shown(stranger.Issue(t, "secondary.test")),
		"none.test.":     {Pins: pins},
	} {
		d.Zone(t, name, createTLSPeer(t, d, primary, nil, conf))
		line := d.WaitLog(t, said("peer failed", name, nil), "failure of "+name)
		t.Logf("%s: %s", name, line.Text("error"))
		if _, ok := harness.Serial(d.DNS, name); ok {
			t.Errorf("%s was transferred", name)
		}
	}
}

// TestXoTNSD has NSD give a zone over TLS. Older releases select no protocol for
// the session, so that they are not known to speak DNS there: that is refused.
func TestXoTNSD(t *testing.T) {
	t.Parallel()
	const name = "nsd.test."
	ca := certtest.Authority(t)
	certificate := ca.Issue(t, primaryName)
	primary := harness.NSD(t, harness.ServerOptions{
		Zones: []harness.Zone{{Name: name, Text: harness.ZoneSmall(name, 1)}},
		TLS:   &harness.ServerTLS{Certificate: certificate.PEM(), Key: certificate.KeyPEM(t)},
	})
	conn, err := tls.Dial("tcp", primary.TLS.String(), &tls.Config{RootCAs: ca.Pool(), ServerName: primaryName, NextProtos: []string{"dot"}})
	if err != nil {
		t.Fatal(err)
	}
	selects := conn.ConnectionState().NegotiatedProtocol == "dot"
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	d := harness.StartDaemon(t, harness.DaemonOptions{LogLevel: "info"})
	d.Zone(t, name, createTLSPeer(t, d, primary, nil, harness.TLS{Pins: []string{certificate.Pin()}}))
	if selects {
		harness.WaitSerial(t, d.DNS, name, 1)
		return
	}
	d.WaitLog(t, said("peer failed", name, map[string]string{
		"step": "TLS", "cause": "the peer does not offer DNS over TLS (ALPN dot)",
	}), "failure for want of ALPN")
	if _, ok := harness.Serial(d.DNS, name); ok {
		t.Error("the zone was transferred")
	}
}
