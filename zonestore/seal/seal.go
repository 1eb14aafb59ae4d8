// Package seal encrypts the secrets that are stored, and keeps the key for it in
// a file, twice.
//
// A sealed secret is bound to its context, the place where it belongs: it opens
// nowhere else. The same secret in the same context gives the same octets, so
// that who compares two stored objects sees whether a secret was changed, and
// learns nothing else of it.
//
// A Key never changes and may be used from any goroutine. No error holds a
// secret or a key.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// A sealed secret is
//
//	octet  0       format version
//	octets 1-4     which key
//	octets 5-16    nonce
//	from 17 on     the secret, encrypted by AES-256-GCM, with its tag
//
// The nonce is the beginning of an HMAC over context and secret, as in SIV (RFC
// 5297): equal only for what is equal. A random one would hide that a secret
// was put again as it was, and make every copy of an object another one.
const (
	version   = 1
	keySize   = 32
	nonceSize = 12
	idSize    = 4
	head      = 1 + idSize + nonceSize
)

// Why a sealed secret does not open.
var (
	ErrOtherKey = errors.New("encrypted with another key")
	ErrDamaged  = errors.New("damaged, or moved from another place")
	ErrNewer    = errors.New("encrypted by a newer secondaryd")
)

// Key seals and opens.
type Key struct {
	id     [idSize]byte
	aead   cipher.AEAD
	nonces []byte // key of the HMAC that nonces come from
}

// newKey makes the keys in use from the one that is kept.
func newKey(master []byte) (*Key, error) {
	var parts [3][]byte
	for i, use := range []struct {
		name string
		size int
	}{{"secondaryd encrypt", keySize}, {"secondaryd nonce", keySize}, {"secondaryd key id", idSize}} {
		part, err := hkdf.Key(sha256.New, master, nil, use.name, use.size)
		if err != nil {
			return nil, err
		}
		parts[i] = part
	}
	block, err := aes.NewCipher(parts[0])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &Key{id: [idSize]byte(parts[2]), aead: aead, nonces: parts[1]}, err
}

// ID names the key without telling anything of it.
func (k *Key) ID() string { return fmt.Sprintf("%x", k.id) }

// Seal encrypts a secret that belongs to a context.
func (k *Key) Seal(secret, context []byte) []byte {
	sealed := make([]byte, head, head+len(secret)+k.aead.Overhead())
	sealed[0] = version
	copy(sealed[1:], k.id[:])
	copy(sealed[1+idSize:], k.nonce(secret, context))
	return k.aead.Seal(sealed, sealed[1+idSize:head], secret, bound(sealed, context))
}

// Open gives a secret that was sealed in this context.
func (k *Key) Open(sealed, context []byte) ([]byte, error) {
	switch {
	case len(sealed) > 0 && sealed[0] > version:
		return nil, ErrNewer
	case len(sealed) < head+k.aead.Overhead() || sealed[0] != version:
		return nil, ErrDamaged
	case [idSize]byte(sealed[1:]) != k.id:
		return nil, fmt.Errorf("%w: with %x, and this one is %x", ErrOtherKey, sealed[1:1+idSize], k.id)
	}
	secret, err := k.aead.Open(nil, sealed[1+idSize:head], sealed[head:], bound(sealed, context))
	if err != nil {
		return nil, ErrDamaged
	}
	return secret, nil
}

func (k *Key) nonce(secret, context []byte) []byte {
	mac := hmac.New(sha256.New, k.nonces)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(len(context))))
	mac.Write(context)
	mac.Write(secret)
	return mac.Sum(nil)[:nonceSize]
}

// bound is what is authenticated beside the secret: version, key and context.
func bound(sealed, context []byte) []byte {
	return append(append([]byte(nil), sealed[:1+idSize]...), context...)
}
