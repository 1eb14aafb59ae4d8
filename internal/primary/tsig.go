package primary

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"time"

	"github.com/miekg/dns"
)

const fudge = 300 // seconds

var hashes = map[string]func() hash.Hash{
	dns.HmacSHA1:   sha1.New,
	dns.HmacSHA224: sha256.New224,
	dns.HmacSHA256: sha256.New,
	dns.HmacSHA384: sha512.New384,
	dns.HmacSHA512: sha512.New,
}

func (k Key) check() error {
	if hashes[dns.CanonicalName(k.Algorithm)] == nil {
		return fmt.Errorf("key %s: unknown algorithm %s", k.Name, k.Algorithm)
	}
	if _, err := base64.StdEncoding.DecodeString(k.Secret); err != nil {
		return fmt.Errorf("key %s: secret is not base64", k.Name)
	}
	return nil
}

// signer makes the TSIG records of one answer (RFC 8945 section 5.3). The zero
// values of prior and begun belong to the first message of an unsigned request.
type signer struct {
	key     Key
	prior   []byte // the MAC before: the request's, then of the last signed message
	skipped []byte // unsigned messages since then
	begun   bool
}

// skip notes a message that goes out unsigned: the next MAC covers it.
func (s *signer) skip(msg []byte) {
	s.skipped = append(s.skipped, msg...)
}

// sign returns msg with a TSIG record behind it. The first one is over the full
// variables, later ones over the timers (section 5.3.1).
func (s *signer) sign(msg []byte) ([]byte, error) {
	return s.signAs(msg, &dns.TSIG{TimeSigned: uint64(time.Now().Unix()), Fudge: fudge})
}

// signAs is sign with the time, fudge, error and other data of t.
func (s *signer) signAs(msg []byte, t *dns.TSIG) ([]byte, error) {
	if err := s.key.check(); err != nil {
		return nil, err
	}
	mac := s.hash()
	if s.prior != nil {
		mac.Write(binary.BigEndian.AppendUint16(nil, uint16(len(s.prior))))
		mac.Write(s.prior)
	}
	mac.Write(s.skipped)
	mac.Write(msg)
	variables, err := s.variables(t)
	if err != nil {
		return nil, err
	}
	mac.Write(variables)
	s.prior, s.skipped, s.begun = mac.Sum(nil), nil, true
	t.MAC, t.MACSize = hex.EncodeToString(s.prior), uint16(len(s.prior))
	return appendTSIG(msg, s.key, t)
}

// hash is the key's HMAC; the key was checked.
func (s *signer) hash() hash.Hash {
	secret, _ := base64.StdEncoding.DecodeString(s.key.Secret)
	return hmac.New(hashes[dns.CanonicalName(s.key.Algorithm)], secret)
}

func (s *signer) variables(t *dns.TSIG) ([]byte, error) {
	timers := binary.BigEndian.AppendUint64(nil, t.TimeSigned<<16|uint64(t.Fudge))
	if s.begun {
		return timers, nil
	}
	full := make([]byte, 2*256)
	n, err := dns.PackDomainName(dns.CanonicalName(s.key.Name), full, 0, nil, false)
	if err != nil {
		return nil, err
	}
	copy(full[n:], []byte{0, dns.ClassANY, 0, 0, 0, 0})
	if n, err = dns.PackDomainName(dns.CanonicalName(s.key.Algorithm), full, n+6, nil, false); err != nil {
		return nil, err
	}
	full = append(full[:n], timers...)
	full = binary.BigEndian.AppendUint16(full, t.Error)
	full = binary.BigEndian.AppendUint16(full, t.OtherLen)
	other, err := hex.DecodeString(t.OtherData)
	return append(full, other...), err
}

// appendTSIG puts the record t, named for the key, behind msg.
func appendTSIG(msg []byte, key Key, t *dns.TSIG) ([]byte, error) {
	t.Hdr = dns.RR_Header{Name: dns.CanonicalName(key.Name), Rrtype: dns.TypeTSIG, Class: dns.ClassANY}
	t.Algorithm = dns.CanonicalName(key.Algorithm)
	t.OrigId = binary.BigEndian.Uint16(msg)
	out := make([]byte, len(msg)+dns.Len(t)+16)
	n, err := dns.PackRR(t, out, copy(out, msg), nil, false)
	if err != nil {
		return nil, fmt.Errorf("TSIG record: %w", err)
	}
	binary.BigEndian.PutUint16(out[10:], binary.BigEndian.Uint16(msg[10:])+1)
	return out[:n], nil
}

// authenticate verifies the TSIG of a request (RFC 8945 section 5.2), in the
// order key, MAC, time.
func (e *Exchange) authenticate(raw []byte) {
	t := e.Request.IsTsig()
	if t == nil {
		return
	}
	key, ok := e.server.keys[dns.CanonicalName(t.Hdr.Name)]
	if !ok || dns.CanonicalName(t.Algorithm) != dns.CanonicalName(key.Algorithm) {
		e.Failure = dns.RcodeBadKey
		return
	}
	e.key = key
	e.signer = &signer{key: key}
	e.signer.prior, _ = hex.DecodeString(t.MAC) // hex is how the library made it
	err := dns.TsigVerify(raw, key.Secret, "", false)
	switch {
	case err == nil:
		e.Signed = true
	case errors.Is(err, dns.ErrTime):
		e.Failure = dns.RcodeBadTime
	default:
		e.Failure = dns.RcodeBadSig
	}
}
