package api

import (
	"crypto/tls"
	"fmt"
	"sync/atomic"
)

// TLS holds the listener's certificate, which may be read anew at any time.
type TLS struct {
	certFile, keyFile string
	current           atomic.Pointer[tls.Certificate]
}

// NewTLS reads a certificate and its key from PEM files.
func NewTLS(certFile, keyFile string) (*TLS, error) {
	t := &TLS{certFile: certFile, keyFile: keyFile}
	if err := t.Reload(); err != nil {
		return nil, err
	}
	return t, nil
}

// Reload reads the files again. New connections get the new certificate; on an
// error the old one stays.
func (t *TLS) Reload() error {
	certificate, err := tls.LoadX509KeyPair(t.certFile, t.keyFile)
	if err != nil {
		return fmt.Errorf("api certificate: %w", err)
	}
	t.current.Store(&certificate)
	return nil
}

// GetCertificate serves tls.Config.
func (t *TLS) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return t.current.Load(), nil
}
