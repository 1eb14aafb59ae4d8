package nameserver

import (
	"encoding/binary"
	"net/netip"

	"secondaryd/internal/siphash"
	"secondaryd/internal/wire"
)

// The cookie option of an answer: the client's cookie, then the server's, which
// is version, reserved octets, timestamp and hash (RFC 9018 section 4).
const (
	cookieSize       = 24
	clientCookieSize = 8
	cookieTimeAt     = 12
	cookieHashAt     = 16
	cookieVersion    = 1

	// Lengths that RFC 7873 section 4 allows a server cookie, by whoever it was made.
	minServerCookie = 8
	maxServerCookie = 32
)

// Ages of a server cookie in seconds (RFC 9018 section 4.3).
const (
	cookieLifetime = 3600
	cookieAhead    = 300 // a clock of another server of the set may be ahead by that
	cookieRenewal  = 1800
)

type cookie [cookieSize]byte

// legalCookie reports whether a query's cookie option has a length that
// RFC 7873 section 5.2.2 allows.
func legalCookie(data []byte) bool {
	server := len(data) - clientCookieSize
	return server == 0 || server >= minServerCookie && server <= maxServerCookie
}

// giveCookie answers the query's cookie. A server cookie that is not good
// counts as none (RFC 7873 section 5.2.4).
func (r *responder) giveCookie() bool {
	received := r.query.edns.cookie
	if !legalCookie(received) {
		return false
	}
	r.cookieGood = r.cookies.answer(&r.cookie, received, r.client.Addr(), uint32(r.at.Unix()))
	r.promise(withCookie, cookieSize)
	return true
}

// withoutQuestion returns the response code for a query without a question. It
// can only ask for a cookie, or whether the one it has is still good (RFC 7873
// section 5.4).
func (r *responder) withoutQuestion() int {
	switch {
	case r.query.header.Opcode() != wire.OpcodeQuery || r.gives&withCookie == 0:
		return rcodeFormErr
	case len(r.query.edns.cookie) > clientCookieSize && !r.cookieGood:
		return rcodeBadCookie
	}
	return rcodeNoError
}

// answer fills c for a client that sent the cookie option received, and reports
// whether that held a good server cookie. That one goes back as it came while
// it is young and made with the secret that is in use.
func (j *cookieJar) answer(c *cookie, received []byte, client netip.Addr, now uint32) (good bool) {
	secrets := j.load()
	maker, age := -1, int32(0)
	if len(received) == cookieSize {
		copy(c[:], received)
		age = int32(now - binary.BigEndian.Uint32(c[cookieTimeAt:])) // by RFC 1982: seconds wrap in 2106
		if c[clientCookieSize] == cookieVersion && age >= -cookieAhead && age <= cookieLifetime {
			maker = c.madeWith(secrets, client)
		}
		if maker == 0 && age <= cookieRenewal {
			return true
		}
	}
	*c = cookie{clientCookieSize: cookieVersion}
	copy(c[:clientCookieSize], received)
	binary.BigEndian.PutUint32(c[cookieTimeAt:], now)
	binary.LittleEndian.PutUint64(c[cookieHashAt:], c.hash(secrets[0], client))
	return maker >= 0
}

// madeWith returns the index of the secret that c was made with, -1 if it is
// none of them.
func (c *cookie) madeWith(secrets []CookieSecret, client netip.Addr) int {
	got := binary.LittleEndian.Uint64(c[cookieHashAt:])
	for i, secret := range secrets {
		if c.hash(secret, client) == got {
			return i
		}
	}
	return -1
}

// hash is that of RFC 9018 section 4.4. Reserved octets go in as they are.
func (c *cookie) hash(secret CookieSecret, client netip.Addr) uint64 {
	var input [cookieHashAt + 16]byte
	copy(input[:], c[:cookieHashAt])
	if client.Is4() {
		ip := client.As4()
		size := copy(input[cookieHashAt:], ip[:])
		return siphash.Sum64(secret.key(), input[:cookieHashAt+size])
	}
	ip := client.As16()
	copy(input[cookieHashAt:], ip[:])
	return siphash.Sum64(secret.key(), input[:])
}
