package zone

import (
	"bytes"
	"context"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"
	"strings"

	"secondaryd/internal/wire"
)

// DigestState is what a zone's ZONEMD records say of it.
type DigestState uint8

// The states.
const (
	DigestNone        DigestState = iota // the apex owns no ZONEMD record
	DigestVerified                       // the zone is what its publisher digested
	DigestUnsupported                    // all are of schemes or algorithms that are not known here
	DigestFailed                         // none does for the zone
)

// String names the state as logs and metrics do.
func (s DigestState) String() string {
	switch s {
	case DigestVerified:
		return "verified"
	case DigestUnsupported:
		return "unsupported"
	case DigestFailed:
		return "failed"
	default:
		return "none"
	}
}

// DigestCheck is the outcome of a verification.
type DigestCheck struct {
	State DigestState
	// Reason tells people what is wrong with each record that does not do; empty
	// if State is DigestNone or DigestVerified.
	Reason string
}

// zonemd is one ZONEMD record (RFC 8976 section 2.2).
type zonemd struct {
	serial            uint32
	scheme, algorithm uint8
	digest            []byte
}

const (
	zonemdHead = 6
	// leastDigest is how many octets a digest has at least (RFC 8976 section 2.2.4).
	leastDigest = 12
	// schemeSimple is the only scheme: one digest over the whole zone.
	schemeSimple = 1
)

// digestAlgorithms are the hash algorithms of RFC 8976 section 5.3.
var digestAlgorithms = map[uint8]struct {
	name string
	make func() hash.Hash
}{
	1: {"SHA-384", sha512.New384},
	2: {"SHA-512", sha512.New},
}

// VerifyZONEMD compares the zone with the digests at its apex (RFC 8976 section
// 4, without the signatures over them). One that fits is enough. It reads the
// whole zone for each algorithm until one does, and keeps next to nothing.
//
// The TTL of an RRset whose records came with several is the lowest of them (RFC
// 2181 section 5.2): the digest of such a zone need not fit.
//
// The error is that of ctx, if it ended first.
func (z *Zone) VerifyZONEMD(ctx context.Context) (DigestCheck, error) {
	set, ok := z.Top().Set(wire.TypeZONEMD)
	if !ok {
		return DigestCheck{State: DigestNone}, nil
	}
	usable, faults, strange := z.sift(set)
	for _, m := range usable {
		algorithm := digestAlgorithms[m.algorithm]
		h := algorithm.make()
		if err := z.digest(ctx, h); err != nil {
			return DigestCheck{}, err
		}
		sum := h.Sum(nil)
		if bytes.Equal(sum, m.digest) {
			return DigestCheck{State: DigestVerified}, nil
		}
		faults = append(faults, fmt.Sprintf("the %s digest of the zone begins with %x, that of the ZONEMD record with %x",
			algorithm.name, sum[:8], m.digest[:8]))
	}
	if len(faults) == 0 {
		return DigestCheck{DigestUnsupported, some(strange)}, nil
	}
	return DigestCheck{DigestFailed, some(append(faults, strange...))}, nil
}

// mostReasons is how many reasons are told: a zone may have any number.
const mostReasons = 4

func some(reasons []string) string {
	if more := len(reasons) - mostReasons; more > 0 {
		reasons = append(reasons[:mostReasons:mostReasons], fmt.Sprintf("and %d more", more))
	}
	return strings.Join(reasons, "; ")
}

// sift parts the records that may be compared with the zone from those at fault
// and those that are not known here.
func (z *Zone) sift(set RRset) (usable []zonemd, faults, strange []string) {
	type kind struct{ scheme, algorithm uint8 }
	count := map[kind]int{}
	for rdata := range set.Records() {
		if m, ok := parseZONEMD(rdata); ok {
			count[kind{m.scheme, m.algorithm}]++
		}
	}
	told := map[kind]bool{}
	for rdata := range set.Records() {
		m, ok := parseZONEMD(rdata)
		if !ok {
			faults = append(faults, fmt.Sprintf("a ZONEMD record of %d octets is too short", len(rdata)))
			continue
		}
		k := kind{m.scheme, m.algorithm}
		fault, known := z.faultOf(m, count[k])
		switch {
		case fault == "":
			usable = append(usable, m)
		case told[k]:
		case known:
			faults = append(faults, fault)
		default:
			strange = append(strange, fault)
		}
		told[k] = true
	}
	return usable, faults, strange
}

// faultOf tells why m can't be compared with the zone, and whether its scheme and
// algorithm, which it shares with alike records, are known.
func (z *Zone) faultOf(m zonemd, alike int) (fault string, known bool) {
	algorithm, known := digestAlgorithms[m.algorithm]
	if m.scheme != schemeSimple || !known {
		return fmt.Sprintf("scheme %d with algorithm %d is not known", m.scheme, m.algorithm), false
	}
	switch size := algorithm.make().Size(); {
	case alike > 1: // RFC 8976 section 4: none of them counts
		return fmt.Sprintf("there are %d ZONEMD records with %s", alike, algorithm.name), true
	case m.serial != z.Serial():
		return fmt.Sprintf("the ZONEMD record is for serial %d, the zone has %d", m.serial, z.Serial()), true
	case len(m.digest) != size:
		return fmt.Sprintf("the %s digest of the ZONEMD record has %d octets, not %d", algorithm.name, len(m.digest), size), true
	}
	return "", true
}

func parseZONEMD(rdata []byte) (zonemd, bool) {
	if len(rdata) < zonemdHead+leastDigest {
		return zonemd{}, false
	}
	return zonemd{
		serial:    binary.BigEndian.Uint32(rdata),
		scheme:    rdata[4],
		algorithm: rdata[5],
		digest:    rdata[zonemdHead:],
	}, true
}
