package tsig

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // RFC 8945 section 6 makes hmac-sha1 mandatory
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strings"

	"secondaryd/internal/wire"
)

// Algorithms lists the names of the algorithms a key can have, without the
// last dot, weakest first.
var Algorithms = []string{"hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"}

var hashes = map[string]func() hash.Hash{
	"hmac-sha1":   sha1.New,
	"hmac-sha224": sha256.New224,
	"hmac-sha256": sha256.New,
	"hmac-sha384": sha512.New384,
	"hmac-sha512": sha512.New,
}

// Key is a shared key. It is immutable.
type Key struct {
	name      wire.Name // folded: the form that enters the MAC
	algorithm wire.Name // folded
	label     string    // the algorithm as in Algorithms

	// secret is a function because no formatter or encoder looks inside one.
	secret func() []byte
}

// NewKey makes a key of a name and an algorithm in presentation form, with or
// without the last dot and in any case, and a secret in base64.
func NewKey(name, algorithm, secret string) (*Key, error) {
	n, err := wire.ParseName(name)
	if err != nil {
		return nil, fmt.Errorf("key name: %w", err)
	}
	raw, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		return nil, errors.New("key secret is not base64")
	}
	if len(raw) == 0 {
		return nil, errors.New("key secret is empty")
	}
	return newKey(n.Fold(), algorithm, func() []byte { return raw })
}

func newKey(name wire.Name, algorithm string, secret func() []byte) (*Key, error) {
	label := strings.ToLower(strings.TrimSuffix(algorithm, "."))
	if hashes[label] == nil {
		return nil, fmt.Errorf("algorithm %q is not one of %s", algorithm, strings.Join(Algorithms, ", "))
	}
	wireName, err := wire.ParseName(label)
	if err != nil {
		return nil, err
	}
	return &Key{name: name, algorithm: wireName, label: label, secret: secret}, nil
}

// WithAlgorithm returns the same name and secret under another algorithm. It
// serves to find out which one the other side has.
func (k *Key) WithAlgorithm(algorithm string) (*Key, error) {
	return newKey(k.name, algorithm, k.secret)
}

// Name returns the key's name in lower case. The caller must not change it.
func (k *Key) Name() wire.Name { return k.name }

// Algorithm returns the name of the key's algorithm, as in Algorithms.
func (k *Key) Algorithm() string { return k.label }

// String names the key and its algorithm, never the secret.
func (k *Key) String() string { return k.name.String() + " (" + k.label + ")" }

func (k *Key) mac() hash.Hash { return hmac.New(hashes[k.label], k.secret()) }
