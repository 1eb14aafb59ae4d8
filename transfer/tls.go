package transfer

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net"
	"slices"
	"strings"
	"time"

	"secondaryd/zonestore/registry"
)

// alpnDoT is the protocol that a TLS session with a peer must be for (RFC 9103
// section 7.1).
const alpnDoT = "dot"

// secure makes a TLS session of a connection; if none comes of it, it closes
// the connection.
func secure(ctx context.Context, raw net.Conn, config *tls.Config) (net.Conn, error) {
	conn := tls.Client(raw, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = raw.Close()
		return nil, err
	}
	return conn, nil
}

// newTLS says how a peer is to be spoken to: by TLS 1.3 (RFC 9103 section 7.2),
// and with nobody but the peer (section 7.5). A name is verified by the library,
// in VerifyConnection the rest.
func newTLS(conf *registry.PeerTLS) (*tls.Config, error) {
	if conf.Name == "" && len(conf.Pins) == 0 {
		return nil, errors.New("there is nothing to know the peer by")
	}
	config := &tls.Config{
		MinVersion: tls.VersionTLS13,
		NextProtos: []string{alpnDoT},
		ServerName: strings.TrimSuffix(conf.Name, "."),
		// Without a name the peer is known by its key alone.
		InsecureSkipVerify: conf.Name == "", //nolint:gosec // see VerifyConnection
		VerifyConnection: func(state tls.ConnectionState) error {
			return verifySession(conf, &state, time.Now())
		},
	}
	if conf.CACertificate != "" {
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM([]byte(conf.CACertificate)) {
			return nil, errors.New("ca_certificate holds no certificate")
		}
	}
	if conf.ClientCertificate == "" {
		// All sessions have the peer's name or its address for a key.
		config.ClientSessionCache = tls.NewLRUClientSessionCache(1)
		return config, nil
	}
	// No session is resumed: servers differ in whether they take one back from
	// a client with a certificate.
	client, err := tls.X509KeyPair([]byte(conf.ClientCertificate), []byte(conf.ClientKey.Reveal()))
	if err != nil {
		return nil, errors.New("client_key is not the key of client_certificate")
	}
	// Whatever issuers a server names: it is to see this one, and to judge.
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &client, nil }
	return config, nil
}

// verifySession checks what of a TLS session the library does not: the protocol
// and the pins. A resumed one is checked too.
func verifySession(conf *registry.PeerTLS, state *tls.ConnectionState, now time.Time) error {
	if state.NegotiatedProtocol != alpnDoT {
		return &Error{Step: StepTLS, Cause: CauseNoDoT}
	}
	if len(conf.Pins) == 0 {
		return nil
	}
	certificate := state.PeerCertificates[0]
	sum := sha256.Sum256(certificate.RawSubjectPublicKeyInfo)
	pin := base64.StdEncoding.EncodeToString(sum[:])
	switch {
	case !slices.Contains(conf.Pins, pin):
		return fail(StepTLS, CausePin, "its pin is %s", pin)
	case now.Before(certificate.NotBefore), now.After(certificate.NotAfter):
		return fail(StepTLS, CauseValidity, "it is from %s to %s",
			certificate.NotBefore.Format(time.RFC3339), certificate.NotAfter.Format(time.RFC3339))
	}
	return nil
}
