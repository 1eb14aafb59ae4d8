package registry

import "slices"

// PeerTLS says that a peer is asked by TLS alone (RFC 9103), what it is known
// by there, and what we are known by. Its members are as sent; an empty one is
// not set.
type PeerTLS struct {
	// Name is the host name or address that the peer's certificate must be for.
	Name string
	// Pins are the SHA-256 digests, in base64, of the public keys
	// (SubjectPublicKeyInfo) that the peer's certificate may have.
	Pins []string
	// CACertificate holds, in PEM, who may certify Name; empty: whom the
	// system trusts.
	CACertificate string
	// ClientCertificate is what we show, in PEM, its issuers behind it.
	ClientCertificate string
	ClientKey         Secret // in PEM
}

func (t *PeerTLS) clone() *PeerTLS {
	c := clonePointer(t)
	if c != nil {
		c.Pins = slices.Clone(t.Pins)
	}
	return c
}
