package registry

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/netip"
	"slices"
	"strings"
)

// Limits on how a peer is known by TLS.
const (
	maxPins = 8        // two keys in turn need two
	maxPEM  = 16 << 10 // octets of a text in PEM
)

func validatePeerTLS(t *PeerTLS) error {
	if t == nil {
		return nil
	}
	return errors.Join(
		validateTLSName(t),
		validatePins(t.Pins),
		validateCertificates("/tls/ca_certificate", t.CACertificate),
		validateClient(t),
	)
}

// validateTLSName sees to it that the peer is known by something: the profile
// is strict (RFC 9103 section 7.5, RFC 8310 section 5).
func validateTLSName(t *PeerTLS) error {
	switch {
	case t.Name != "":
		return validateHost("/tls/name", t.Name)
	case t.CACertificate != "":
		return invalid("/tls/name", ReasonMissing, "a ca_certificate needs the name that it vouches for")
	case len(t.Pins) == 0:
		return invalid("/tls", ReasonMissing, "a name or pins are needed, by which the peer is known")
	}
	return nil
}

// validateHost checks what a certificate is issued for: the name of a host, or
// an address.
func validateHost(pointer, host string) error {
	if addr, err := netip.ParseAddr(host); err == nil && addr.Zone() == "" {
		return nil
	}
	if err := validateDomainName(pointer, host); err != nil {
		return err
	}
	if host == "." || strings.ContainsAny(host, `*/\`) {
		return invalid(pointer, ReasonMalformed, "%q is not the name of a host", host)
	}
	return nil
}

func validatePins(pins []string) error {
	if len(pins) > maxPins {
		return invalid("/tls/pins", ReasonTooMany, "%d pins are more than the %d permitted", len(pins), maxPins)
	}
	var problems []error
	for i, pin := range pins {
		raw, err := base64.StdEncoding.Strict().DecodeString(pin)
		if err != nil || len(raw) != sha256.Size || strings.ContainsAny(pin, "\r\n") {
			problems = append(problems, invalid(index("/tls/pins", i), ReasonMalformed,
				"the pin is not a SHA-256 digest in base64, 44 characters"))
		} else if slices.Contains(pins[:i], pin) {
			problems = append(problems, invalid(index("/tls/pins", i), ReasonDuplicate, "the pin is listed twice"))
		}
	}
	return errors.Join(problems...)
}

// validateClient checks that certificate and key are there together, and are a
// pair. It never quotes the key, nor what is said about it.
func validateClient(t *PeerTLS) error {
	key := t.ClientKey.Reveal()
	switch {
	case t.ClientCertificate == "" && key == "":
		return nil
	case t.ClientCertificate == "":
		return invalid("/tls/client_certificate", ReasonMissing, "a client_key needs its certificate")
	case key == "":
		return invalid("/tls/client_key", ReasonMissing, "a client_certificate needs its key")
	case len(key) > maxPEM:
		return invalid("/tls/client_key", ReasonTooLarge, "the key takes more than %d octets", maxPEM)
	}
	if err := validateCertificates("/tls/client_certificate", t.ClientCertificate); err != nil {
		return err
	}
	if _, err := tls.X509KeyPair([]byte(t.ClientCertificate), []byte(key)); err != nil {
		return invalid("/tls/client_key", ReasonMalformed, "this is not the certificate's private key in PEM, without a passphrase")
	}
	return nil
}

// validateCertificates checks a text of one certificate or more in PEM, and
// nothing else.
func validateCertificates(pointer, text string) error {
	if len(text) > maxPEM {
		return invalid(pointer, ReasonTooLarge, "the certificates take more than %d octets", maxPEM)
	}
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		var block *pem.Block
		if block, rest = nextCertificate(rest); block == nil {
			return invalid(pointer, ReasonMalformed, "the text is not certificates in PEM (%s), one after the other", beginCertificate)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return invalid(pointer, ReasonMalformed, "a certificate can't be read: %s", err)
		}
	}
	return nil
}

const (
	beginCertificate = "-----BEGIN CERTIFICATE-----"
	endCertificate   = "-----END CERTIFICATE-----"
)

// nextCertificate takes the block that text begins with, nil if that is none.
// The decoder alone would pass over what it can't read.
func nextCertificate(text string) (block *pem.Block, rest string) {
	body, rest, whole := strings.Cut(text, endCertificate)
	if !whole || strings.LastIndex(body, beginCertificate) != 0 {
		return nil, ""
	}
	block, _ = pem.Decode([]byte(body + endCertificate))
	return block, rest
}
