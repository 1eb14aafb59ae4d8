package transfer

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"slices"
)

// TLS alerts (RFC 8446 section 6) that are told from others.
var (
	alertVersion = tls.AlertError(70)
	alertNoALPN  = tls.AlertError(120)
	// Those by which a peer refuses our certificate, or says that it wants one.
	alertsClient = []tls.AlertError{42, 43, 44, 45, 46, 48, 49, 116}
)

// causeOfTLS tells what is wrong with TLS, empty if err is not about that. A
// peer refuses a client certificate only after the handshake, so that it may be
// met in any step.
func causeOfTLS(err error) Cause {
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "remote error" {
		return causeOfAlert(e.Err)
	} else if ok && e.Op == "local error" {
		return CauseTLS
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return CauseNotTLS
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return CauseHostName
	}
	if e, ok := errors.AsType[x509.CertificateInvalidError](err); ok && e.Reason == x509.Expired {
		return CauseValidity
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return CauseNotTrusted
	}
	return ""
}

// causeOfAlert tells what a peer says by an alert, which the library has a name
// for but no type.
func causeOfAlert(alert error) Cause {
	is := func(a tls.AlertError) bool { return alert.Error() == a.Error() }
	switch {
	case is(alertVersion):
		return CauseTLSVersion
	case is(alertNoALPN):
		return CauseNoDoT
	case slices.ContainsFunc(alertsClient, is):
		return CauseClient
	default:
		return CauseTLS
	}
}
