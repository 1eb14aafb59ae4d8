package nameserver

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"secondaryd/internal/siphash"
)

// CookieSecret is a secret that server cookies are made with. Servers that
// answer at one address share it (RFC 9018 section 5).
type CookieSecret struct {
	// key is a function because no formatter or encoder looks inside one.
	key func() *[siphash.KeySize]byte
}

// maxCookieSecrets bounds what a cookie that is made up costs. A rollover needs
// two.
const maxCookieSecrets = 4

// ParseCookieSecrets reads secrets of 32 hexadecimal digits, one a line. Empty
// lines and those that begin with # are skipped. Errors name the line and never
// repeat what it holds.
func ParseCookieSecrets(text []byte) ([]CookieSecret, error) {
	var secrets []CookieSecret
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if line = bytes.TrimSpace(line); len(line) == 0 || line[0] == '#' {
			continue
		}
		var key [siphash.KeySize]byte
		if len(line) != hex.EncodedLen(len(key)) {
			return nil, fmt.Errorf("line %d: a cookie secret has %d hexadecimal digits, this has %d octets", number, hex.EncodedLen(len(key)), len(line))
		}
		if _, err := hex.Decode(key[:], line); err != nil {
			return nil, fmt.Errorf("line %d: a cookie secret holds something else than hexadecimal digits", number)
		}
		if len(secrets) == maxCookieSecrets {
			return nil, fmt.Errorf("line %d: more than %d cookie secrets", number, maxCookieSecrets)
		}
		secrets = append(secrets, newCookieSecret(key))
	}
	if len(secrets) == 0 {
		return nil, errors.New("no cookie secret")
	}
	return secrets, nil
}

func newCookieSecret(key [siphash.KeySize]byte) CookieSecret {
	return CookieSecret{key: func() *[siphash.KeySize]byte { return &key }}
}

func randomCookieSecret() CookieSecret {
	var key [siphash.KeySize]byte
	_, _ = rand.Read(key[:]) // never fails (crypto/rand)
	return newCookieSecret(key)
}

// cookieJar holds the secrets that all responders of a server use. The first
// makes cookies, the others are only accepted.
type cookieJar struct {
	secrets atomic.Pointer[[]CookieSecret]
}

func newCookieJar(secrets ...CookieSecret) *cookieJar {
	j := &cookieJar{}
	j.replace(secrets)
	return j
}

func (j *cookieJar) load() []CookieSecret { return *j.secrets.Load() }

// replace takes other secrets, of which there must be one at least.
func (j *cookieJar) replace(secrets []CookieSecret) { j.secrets.Store(&secrets) }

// cookieRotation keeps a random secret far below the 36 days that RFC 7873
// section 7.1 allows it.
const cookieRotation = 24 * time.Hour

// rotate replaces random secrets until ctx ends. The last one stays accepted:
// cookies made with it have an hour to live.
func (j *cookieJar) rotate(ctx context.Context) {
	ticker := time.NewTicker(cookieRotation)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			j.replace([]CookieSecret{randomCookieSecret(), j.load()[0]})
		}
	}
}
