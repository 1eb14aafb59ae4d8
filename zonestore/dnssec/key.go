package dnssec

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha1" // algorithms 5 and 7, which validators still have to know (RFC 9905)
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/binary"
	"math/big"
)

// The algorithms of signatures that are known here, as IANA numbers them.
const (
	rsaSHA1      = 5
	rsaSHA1NSEC3 = 7
	rsaSHA256    = 8
	rsaSHA512    = 10
	ecdsaP256    = 13
	ecdsaP384    = 14
	ed25519Pure  = 15
)

// hashes has the hash that each algorithm signs; 0 where it signs the data.
var hashes = map[uint8]crypto.Hash{
	rsaSHA1:      crypto.SHA1,
	rsaSHA1NSEC3: crypto.SHA1,
	rsaSHA256:    crypto.SHA256,
	rsaSHA512:    crypto.SHA512,
	ecdsaP256:    crypto.SHA256,
	ecdsaP384:    crypto.SHA384,
	ed25519Pure:  0,
}

func isKnown(algorithm uint8) bool {
	_, ok := hashes[algorithm]
	return ok
}

// key is a DNSKEY that may verify signatures.
type key struct {
	rdata     []byte // in the zone's memory
	algorithm uint8
	public    crypto.PublicKey
}

// Fields of a DNSKEY (RFC 4034 section 2.1, RFC 5011 section 3).
const (
	keyHead     = 4
	flagZone    = 1 << 8
	flagRevoked = 1 << 7
	protocol    = 3
)

// parseKey reads a DNSKEY; false if it is no key of a zone, or one that is
// revoked, or of an algorithm or a form that is not known here.
func parseKey(rdata []byte) (key, bool) {
	if len(rdata) < keyHead || rdata[2] != protocol {
		return key{}, false
	}
	if flags := binary.BigEndian.Uint16(rdata); flags&flagZone == 0 || flags&flagRevoked != 0 {
		return key{}, false
	}
	k := key{rdata: rdata, algorithm: rdata[3]}
	switch octets := rdata[keyHead:]; k.algorithm {
	case rsaSHA1, rsaSHA1NSEC3, rsaSHA256, rsaSHA512:
		k.public = parseRSA(octets)
	case ecdsaP256:
		k.public = parseECDSA(elliptic.P256(), octets)
	case ecdsaP384:
		k.public = parseECDSA(elliptic.P384(), octets)
	case ed25519Pure:
		if len(octets) == ed25519.PublicKeySize {
			k.public = ed25519.PublicKey(octets)
		}
	}
	return k, k.public != nil
}

// Sizes of an RSA modulus in bits. What is shorter proves nothing, what is longer
// than RFC 3110 allows costs too much.
const (
	leastModulus = 1024
	mostModulus  = 4096
)

// parseRSA reads a key in the form of RFC 3110 section 2; nil if it can't be used.
func parseRSA(b []byte) crypto.PublicKey {
	if len(b) < 3 {
		return nil
	}
	size, rest := int(b[0]), b[1:]
	if size == 0 {
		size, rest = int(binary.BigEndian.Uint16(b[1:])), b[3:]
	}
	if size == 0 || size > len(rest) {
		return nil
	}
	exponent, modulus := new(big.Int).SetBytes(rest[:size]), new(big.Int).SetBytes(rest[size:])
	if n := modulus.BitLen(); n < leastModulus || n > mostModulus {
		return nil
	}
	// What is larger is slow, and not what anybody uses.
	if exponent.BitLen() > 31 || exponent.Int64() < 3 {
		return nil
	}
	return &rsa.PublicKey{N: modulus, E: int(exponent.Int64())}
}

// parseECDSA reads a key in the form of RFC 6605 section 4; nil if it is no point
// of the curve.
func parseECDSA(curve elliptic.Curve, b []byte) crypto.PublicKey {
	public, err := ecdsa.ParseUncompressedPublicKey(curve, append([]byte{4}, b...))
	if err != nil {
		return nil
	}
	return public
}

// verifies reports whether signature is one of data with the key.
func (k key) verifies(data, signature []byte) bool {
	digest := data
	if hash := hashes[k.algorithm]; hash != 0 {
		h := hash.New()
		h.Write(data)
		digest = h.Sum(nil)
	}
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, hashes[k.algorithm], digest, signature) == nil
	case *ecdsa.PublicKey:
		half := (public.Curve.Params().BitSize + 7) / 8
		if len(signature) != 2*half {
			return false
		}
		return ecdsa.Verify(public, digest, new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]))
	case ed25519.PublicKey:
		return ed25519.Verify(public, digest, signature)
	}
	return false
}

// tagOf returns the key tag of a DNSKEY (RFC 4034 appendix B).
func tagOf(rdata []byte) uint16 {
	sum := uint32(0)
	for i, c := range rdata {
		if i&1 == 0 {
			sum += uint32(c) << 8
		} else {
			sum += uint32(c)
		}
	}
	return uint16(sum + sum>>16)
}

// keyring finds keys by what a signature tells of them.
type keyring map[keyID][]key

type keyID struct {
	tag       uint16
	algorithm uint8
}

// maxKeysPerTag bounds how many keys a signature is tried with (CVE-2023-50387).
const maxKeysPerTag = 4

func (r keyring) add(k key) {
	id := keyID{tagOf(k.rdata), k.algorithm}
	if len(r[id]) < maxKeysPerTag {
		r[id] = append(r[id], k)
	}
}
