package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"secondaryd/internal/certtest"
)

const pinOfTests = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

func TestPeerTLS(t *testing.T) {
	t.Parallel()
	ca := certtest.Authority(t)
	client, other := ca.Issue(t, "client.example"), ca.Issue(t, "other.example")
	key := Secret(client.KeyPEM(t))
	pem := client.PEM()
	for _, c := range []struct {
		name  string
		tls   PeerTLS
		fault string // pointers and reasons
	}{
		{"name", PeerTLS{Name: "Primary.example."}, ""},
		{"address", PeerTLS{Name: "2001:db8::1"}, ""},
		{"pins", PeerTLS{Pins: []string{pinOfTests, client.Pin()}}, ""},
		{"all", PeerTLS{"primary.example", []string{pinOfTests}, ca.PEM() + "\n" + pem, pem + ca.PEM(), key}, ""},
		{"nothing", PeerTLS{}, "/tls 1"},
		{"client alone", PeerTLS{ClientCertificate: pem, ClientKey: key}, "/tls 1"},
		{"authority without name", PeerTLS{Pins: []string{pinOfTests}, CACertificate: ca.PEM()}, "/tls/name 1"},
		{"wildcard", PeerTLS{Name: "*.example"}, "/tls/name 2"},
		{"root", PeerTLS{Name: "."}, "/tls/name 2"},
		{"escape", PeerTLS{Name: `a\.b.example`}, "/tls/name 2"},
		{"URL", PeerTLS{Name: "https://a.example"}, "/tls/name 2"},
		{"zone of an address", PeerTLS{Name: "fe80::1%eth0"}, "/tls/name 2"},
		{
			"bad pins",
			PeerTLS{Pins: []string{"", "YQ==", pinOfTests, pinOfTests + "\n", pinOfTests, pinOfTests[:42] + "V="}},
			"/tls/pins/0 2, /tls/pins/1 2, /tls/pins/3 2, /tls/pins/4 7, /tls/pins/5 2",
		},
		{"many pins", PeerTLS{Pins: make([]string, 9)}, "/tls/pins 6"},
		{"no certificate", PeerTLS{Name: "a", CACertificate: "trust me"}, "/tls/ca_certificate 2"},
		{"key for a certificate", PeerTLS{Name: "a", CACertificate: key.Reveal()}, "/tls/ca_certificate 2"},
		{"text before", PeerTLS{Name: "a", CACertificate: "Subject: x\n" + pem}, "/tls/ca_certificate 2"},
		{"text behind", PeerTLS{Name: "a", CACertificate: pem + "x"}, "/tls/ca_certificate 2"},
		{"cut and whole", PeerTLS{Name: "a", CACertificate: pem[:100] + "\n" + pem}, "/tls/ca_certificate 2"},
		{"damaged", PeerTLS{Name: "a", CACertificate: pem[:60] + "AAAA" + pem[64:]}, "/tls/ca_certificate 2"},
		{"long", PeerTLS{Name: "a", CACertificate: strings.Repeat(pem, 40)}, "/tls/ca_certificate 9"},
		{"certificate alone", PeerTLS{Name: "a", ClientCertificate: pem}, "/tls/client_key 1"},
		{"key alone", PeerTLS{Name: "a", ClientKey: key}, "/tls/client_certificate 1"},
		{"key of another", PeerTLS{Name: "a", ClientCertificate: other.PEM(), ClientKey: key}, "/tls/client_key 2"},
		{"no key", PeerTLS{Name: "a", ClientCertificate: pem, ClientKey: "x"}, "/tls/client_key 2"},
		{"long key", PeerTLS{Name: "a", ClientCertificate: pem, ClientKey: key + Secret(strings.Repeat("\n", 1<<14))}, "/tls/client_key 9"},
		{"no client certificate", PeerTLS{Name: "a", ClientCertificate: "x", ClientKey: key}, "/tls/client_certificate 2"},
	} {
		err := validatePeer(&Peer{Name: "p", TLS: &c.tls}, false)
		var faults []string
		for _, p := range Problems(err) {
			faults = append(faults, fmt.Sprint(p.Pointer, " ", p.Reason))
			if strings.Contains(p.Error(), key.Reveal()[40:80]) {
				t.Errorf("%s: the key is in %q", c.name, p.Error())
			}
		}
		if got := strings.Join(faults, ", "); got != c.fault {
			t.Errorf("%s: got %q, want %q: %v", c.name, got, c.fault, err)
		}
	}
}

// What was put is read back, also from disk, and belongs to who asked; without
// the member a peer is one without TLS.
func TestPeerTLSReadBack(t *testing.T) {
	t.Parallel()
	ca := certtest.Authority(t)
	client := ca.Issue(t, "client.example")
	want := PeerTLS{"primary.example", []string{pinOfTests}, ca.PEM(), client.PEM(), Secret(client.KeyPEM(t))}
	dir := t.TempDir()
	check := func(r *Registry) {
		t.Helper()
		p, _ := r.Peer("p1")
		if diff := cmp.Diff(&want, p.TLS); diff != "" || p.TLS.ClientKey.Reveal() != want.ClientKey.Reveal() {
			t.Errorf("read back with differences: %s", diff)
		}
		p.TLS.Name, p.TLS.Pins[0] = "changed", "changed"
		if again, _ := r.Peer("p1"); again.TLS.Name != want.Name || again.TLS.Pins[0] != pinOfTests {
			t.Errorf("changed from outside: %s %s", again.TLS.Name, again.TLS.Pins)
		}
		if p2, _ := r.Peer("p2"); p2.TLS != nil {
			t.Errorf("p2 has %+v", p2.TLS)
		}
	}
	first := open(t, dir)
	update(t, first, func(tx *Tx) error {
		p1, p2 := peer("p1"), peer("p2")
		p1.TLS = want.clone()
		return errors.Join(tx.PutPeer(p1), tx.PutPeer(p2))
	})
	check(first)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := open(t, dir)
	check(second)
	update(t, second, func(tx *Tx) error { return tx.PutPeer(peer("p1")) })
	if p, _ := second.Peer("p1"); p.TLS != nil {
		t.Error("a peer that was put without TLS has it still")
	}
}

// A peer that was stored before there was TLS has none, and one without it is
// stored as ever.
func TestPeerOfEarlierRelease(t *testing.T) {
	t.Parallel()
	const payload = `{"account":"a","name":"n","ip":"192.0.2.1","port":53,"ixfr":true,"tsig":"k"}`
	o, err := codec{}.decodePayload(key{KindPeer, "p"}, 1, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	p := o.(*Peer)
	if p.TLS != nil || *p.IP != "192.0.2.1" || *p.TSIG != "k" {
		t.Errorf("got %+v", p)
	}
	if got := string(codec{}.encode(p)[valueHeader:]); got != payload {
		t.Errorf("got %s, want %s", got, payload)
	}
}

func TestClientKeyIsNeverPrinted(t *testing.T) {
	t.Parallel()
	const secret = "dmVyeSBzZWNyZXQ="
	p := Peer{ID: "p", Name: "n", TLS: &PeerTLS{ClientKey: secret}}
	asJSON, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	zap.New(core).Info("peer", zap.Any("any", p), zap.Reflect("reflect", &p), zap.Any("tls", p.TLS))
	logged, err := json.Marshal(logs.All()[0].ContextMap())
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{string(asJSON), string(logged), fmt.Sprintf("%v %+v %#v", p.TLS, p.TLS, *p.TLS)} {
		if strings.Contains(text, secret) || !strings.Contains(text, hidden) {
			t.Errorf("printed as %s", text)
		}
	}
}
