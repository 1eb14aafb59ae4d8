package harness

import (
	"fmt"
	"testing"
)

// ServerTLS has BIND or NSD answer over TLS too, at Server.TLS. BIND then gives
// its zones over that alone. All members are PEM.
type ServerTLS struct {
	Certificate string
	Key         string
	ClientCA    string // of the certificates that clients have to show; empty: they need none
}

// The files of a server with TLS.
const (
	tlsCertificate = "tls.pem"
	tlsKey         = "tls.key"
	tlsClientCA    = "clients.pem"
)

// withTLS picks the address for TLS and writes the files.
func (s *Server) withTLS(t testing.TB) {
	t.Helper()
	if s.options.TLS == nil {
		return
	}
	s.TLS = FreeAddr(t)
	s.write(t, tlsCertificate, s.options.TLS.Certificate)
	s.write(t, tlsKey, s.options.TLS.Key)
	s.write(t, tlsClientCA, s.options.TLS.ClientCA)
}

// bindTLS is what stands before BIND's options.
func (s *Server) bindTLS() string {
	if s.options.TLS == nil {
		return ""
	}
	clients := ""
	if s.options.TLS.ClientCA != "" {
		clients = fmt.Sprintf("    ca-file %q;\n", s.path(tlsClientCA))
	}
	return fmt.Sprintf("tls xot {\n    cert-file %q;\n    key-file %q;\n    protocols { TLSv1.3; };\n%s};\n",
		s.path(tlsCertificate), s.path(tlsKey), clients)
}

// bindListenTLS is one of BIND's options.
func (s *Server) bindListenTLS() string {
	if s.options.TLS == nil {
		return ""
	}
	return fmt.Sprintf("    listen-on port %d tls xot { %s; };", s.TLS.Port(), s.TLS.Addr())
}

// bindTransfers are the options of a zone about how it is given to whom access
// names.
func (s *Server) bindTransfers(access string) string {
	if s.options.TLS == nil {
		return fmt.Sprintf("allow-transfer { %s };", access)
	}
	return fmt.Sprintf("allow-transfer port %d transport tls { %s };", s.TLS.Port(), access)
}

// nsdTLS are options of NSD's server.
func (s *Server) nsdTLS() string {
	if s.options.TLS == nil {
		return ""
	}
	return fmt.Sprintf("    ip-address: %s@%d\n    tls-port: %d\n    tls-service-pem: %q\n    tls-service-key: %q\n",
		s.TLS.Addr(), s.TLS.Port(), s.TLS.Port(), s.path(tlsCertificate), s.path(tlsKey))
}
