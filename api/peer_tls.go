package api

import "secondaryd/zonestore/registry"

// peerTLS is how a peer is asked by TLS, as clients see it: without the private
// key, which can be set and not read.
type peerTLS struct {
	Name              string   `json:"name,omitempty"`
	Pins              []string `json:"pins,omitempty"`
	CACertificate     string   `json:"ca_certificate,omitempty"`
	ClientCertificate string   `json:"client_certificate,omitempty"`
}

func showPeerTLS(t *registry.PeerTLS) *peerTLS {
	if t == nil {
		return nil
	}
	return &peerTLS{t.Name, t.Pins, t.CACertificate, t.ClientCertificate}
}

// peerTLSOf reads the member of a peer that says so, which the vendor does not
// have; nil if it is unset.
func peerTLSOf(f *form) *registry.PeerTLS {
	var t registry.PeerTLS
	set := f.optionalObject("tls", func(f *form) {
		t.Name = f.textOrEmpty("name")
		t.Pins = f.optionalTexts("pins")
		t.CACertificate = f.textOrEmpty("ca_certificate")
		t.ClientCertificate = f.textOrEmpty("client_certificate")
		t.ClientKey = registry.Secret(f.textOrEmpty("client_key"))
	})
	if !set {
		return nil
	}
	return &t
}
