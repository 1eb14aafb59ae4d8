package dnssec

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// signature is an RRSIG (RFC 4034 section 3.1).
type signature struct {
	rdata             []byte // up to the signer's name
	algorithm, labels uint8
	originalTTL       []byte
	wait, left        int32 // seconds from now until it is valid, and until it is no longer
	tag               uint16
	signer            wire.Name
	octets            []byte
}

const signatureHead = 18

// parse reads an RRSIG; false if it ends too early.
func (v *validation) parse(rdata []byte) (signature, bool) {
	if len(rdata) < signatureHead {
		return signature{}, false
	}
	end, err := wire.SkipName(rdata, signatureHead)
	if err != nil || end > len(rdata) {
		return signature{}, false
	}
	return signature{
		rdata:       rdata[:signatureHead],
		algorithm:   rdata[2],
		labels:      rdata[3],
		originalTTL: rdata[4:8],
		left:        v.life(binary.BigEndian.Uint32(rdata[8:])),
		wait:        v.life(binary.BigEndian.Uint32(rdata[12:])),
		tag:         binary.BigEndian.Uint16(rdata[16:]),
		signer:      wire.Name(rdata[signatureHead:end]),
		octets:      rdata[end:],
	}, true
}

// verdict says how far a signature came; the furthest one is what people are told.
type verdict uint8

const (
	noSignature verdict = iota
	malformed
	otherSigner
	otherLabels
	unknownAlgorithm
	noKey
	notYetValid
	expired
	tooMany
	wrong
	right
)

var verdicts = map[verdict]string{
	noSignature:      "it has no signature",
	malformed:        "its signature is malformed",
	otherSigner:      "its signature is that of another zone",
	otherLabels:      "its signature is for a name of another number of labels",
	unknownAlgorithm: "its signatures are of algorithms that are not known, though the zone has a key of one that is",
	noKey:            "its signature is by a key that the zone does not have",
	notYetValid:      "its signature is not valid yet",
	expired:          "its signature has expired",
	tooMany:          "it has too many signatures that do not verify",
	wrong:            "its signature does not verify",
}

// maxTries bounds how often a signature of one RRset is put to the test.
const maxTries = 16

// worker is one goroutine of a validation and its scratch.
type worker struct {
	*validation
	usable   []signature
	data     []byte
	owner    []byte
	owned    []uint16
	listed   []uint16
	hashed   zone.NSEC3Hasher
	matching int // names that have an NSEC3 record
}

// verify reports whether one of the keys made a signature of the RRset that is
// valid now, and notes it if not.
func (w *worker) verify(n zone.Node, set zone.RRset, keys keyring) bool {
	reached := w.sift(n, set, keys)
	if len(w.usable) > 0 {
		var left int32
		if reached, left = w.try(n, set, keys); reached == right {
			w.lasts(w.now.Truncate(time.Second).Add(time.Duration(left) * time.Second))
			return true
		}
	}
	w.problem(n.Name(), set.Type, "%s", verdicts[reached])
	return false
}

// sift keeps the signatures that may be put to the test, those that last longest
// first, and tells how far the best of the others came.
func (w *worker) sift(n zone.Node, set zone.RRset, keys keyring) (best verdict) {
	w.usable = w.usable[:0]
	labels := n.Name().Labels()
	if n.Name().IsWildcard() {
		labels--
	}
	for _, rdata := range set.Sigs() {
		s, ok := w.parse(rdata)
		verdict := right
		switch {
		case !ok:
			verdict = malformed
		case !s.signer.Equal(w.zone.Apex()):
			verdict = otherSigner
		case int(s.labels) != labels:
			verdict = otherLabels
		case !isKnown(s.algorithm):
			verdict = unknownAlgorithm
		case len(keys[keyID{s.tag, s.algorithm}]) == 0:
			verdict = noKey
		case s.wait > 0:
			verdict = notYetValid
		case s.left < 0:
			verdict = expired
		}
		if verdict == right {
			w.usable = append(w.usable, s)
		} else {
			best = max(best, verdict)
		}
	}
	slices.SortFunc(w.usable, func(a, b signature) int { return cmp.Compare(b.left, a.left) })
	return best
}

// try puts the signatures to the test until one is right, and returns how long
// that one lasts.
func (w *worker) try(n zone.Node, set zone.RRset, keys keyring) (_ verdict, left int32) {
	tries := 0
	for _, s := range w.usable {
		w.signedData(n, set, s)
		for _, k := range keys[keyID{s.tag, s.algorithm}] {
			if tries++; tries > maxTries {
				return tooMany, 0
			}
			if k.verifies(w.data, s.octets) {
				return right, s.left
			}
			if !w.fail() {
				return wrong, 0
			}
		}
	}
	return wrong, 0
}

// keptScratch is how much scratch is kept for the next RRset.
const keptScratch = 1 << 20

// signedData makes what a signature of the RRset signs (RFC 4034 section 3.1.8.1).
// The records of a set are in canonical order.
func (w *worker) signedData(n zone.Node, set zone.RRset, s signature) {
	if cap(w.data) > keptScratch {
		w.data = nil
	}
	w.owner = wire.AppendFolded(w.owner[:0], n.Name())
	b := append(w.data[:0], s.rdata...)
	b = wire.AppendFolded(b, s.signer)
	for rdata := range set.Records() {
		b = append(b, w.owner...)
		b = binary.BigEndian.AppendUint16(b, set.Type)
		b = binary.BigEndian.AppendUint16(b, wire.ClassIN)
		b = append(b, s.originalTTL...)
		b = binary.BigEndian.AppendUint16(b, uint16(len(rdata)))
		b = wire.AppendCanonical(b, set.Type, rdata)
	}
	w.data = b
}
