package tsig

import (
	"crypto/hmac"
	"errors"
	"fmt"
	"hash"
	"time"
)

// MaxUnsigned is how many messages in a row of a signed stream may lack a
// signature (RFC 8945 section 5.3.1).
const MaxUnsigned = 99

// What can be wrong with the signatures of an answer. Each is a different
// fault with a different cure, so callers tell them apart with errors.Is.
var (
	// ErrUnsigned: an answer to a signed request came without a signature.
	ErrUnsigned = errors.New("answer is not signed")
	// ErrTooManyUnsigned: a stream went on without signatures for too long.
	ErrTooManyUnsigned = errors.New("more than 99 unsigned messages in a row")
	// ErrOtherKey: the answer is signed with a key we did not use.
	ErrOtherKey = errors.New("answer is signed with another key")
	// ErrOtherAlgorithm: the answer is signed with our key but another algorithm.
	ErrOtherAlgorithm = errors.New("answer is signed with another algorithm")
	// ErrMAC: the signature of the answer does not verify.
	ErrMAC = errors.New("signature of the answer does not verify")
	// ErrTime: the signature is right, but its time is too far from ours.
	ErrTime = errors.New("clocks differ too much")
	// ErrBadKey: the other side says it does not know the key or its algorithm.
	ErrBadKey = errors.New("the other side answers BADKEY")
	// ErrBadSig: the other side says our signature does not verify.
	ErrBadSig = errors.New("the other side answers BADSIG")
	// ErrBadTime: the other side says our clock is too far from its own.
	ErrBadTime = errors.New("the other side answers BADTIME")
	// ErrBadTrunc: the other side says our MAC is too short.
	ErrBadTrunc = errors.New("the other side answers BADTRUNC")
	// ErrRecord: the TSIG record itself is malformed or misplaced.
	ErrRecord = errors.New("bad TSIG record")
)

// Answer verifies the messages that answer one signed request: one message, or
// the many of a transfer. Every octet it accepts has been, or before Finish
// succeeds will have been, part of a verified digest. It must not be used after
// an error.
type Answer struct {
	key     *Key
	digest  hash.Hash
	pending int  // unsigned messages in the digest since the last signature
	first   bool // no message verified yet
	skew    time.Duration
}

// NewAnswer returns the verifier of what answers the request that key signed
// with the given MAC.
func NewAnswer(key *Key, requestMAC []byte) *Answer {
	a := &Answer{key: key, first: true}
	a.restart(requestMAC)
	return a
}

func (a *Answer) restart(prior []byte) {
	a.digest = a.key.mac()
	a.digest.Write(appendMAC(nil, prior))
	a.pending = 0
}

// Next takes the next message and returns it without its TSIG record; the
// result shares msg's memory and its header is changed in place. Unsigned
// messages in the middle of a stream are passed on, on the condition that a
// later signature covers them: nothing of a stream may be used for good before
// Finish.
func (a *Answer) Next(msg []byte, now time.Time) ([]byte, error) {
	rec, err := find(msg)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRecord, err)
	}
	if rec == nil {
		return a.unsigned(msg)
	}
	if err := a.refused(rec, now); err != nil {
		return nil, err
	}
	header, rest := unsigned(msg, rec)
	a.digest.Write(header[:])
	a.digest.Write(rest)
	if a.first {
		a.digest.Write(rec.appendVariables(nil))
	} else {
		a.digest.Write(rec.appendTimers(nil))
	}
	// A truncated MAC has another length and so never compares equal.
	if !hmac.Equal(a.digest.Sum(nil), rec.mac) {
		return nil, ErrMAC
	}
	if !rec.timely(now) {
		return nil, skewError(ErrTime, rec.signed, now)
	}
	if rec.code != 0 {
		return nil, codeError(rec, now)
	}
	a.first = false
	a.skew = skewOf(rec.signed, now)
	a.restart(rec.mac)
	return strip(msg, rec), nil
}

// unsigned takes a message without a TSIG record.
func (a *Answer) unsigned(msg []byte) ([]byte, error) {
	if a.first {
		return nil, ErrUnsigned
	}
	a.pending++
	if a.pending > MaxUnsigned {
		return nil, ErrTooManyUnsigned
	}
	a.digest.Write(msg)
	return msg, nil
}

// refused tells whether rec is the report of an error, which is not signed
// (RFC 8945 section 5.2), or of another key or algorithm than ours. An error
// report proves nothing, but it only ever makes a try fail.
func (a *Answer) refused(rec *record, now time.Time) error {
	if len(rec.mac) == 0 && rec.code != 0 {
		return codeError(rec, now)
	}
	if !rec.name.Equal(a.key.name) {
		return fmt.Errorf("%w: %s instead of %s", ErrOtherKey, rec.name, a.key.name)
	}
	if !rec.algorithm.Equal(a.key.algorithm) {
		return fmt.Errorf("%w: %s instead of %s", ErrOtherAlgorithm, rec.algorithm, a.key.algorithm)
	}
	return nil
}

// Finish must be called after the last message: it was signed, or the whole
// answer is worthless (RFC 8945 section 5.3.1).
func (a *Answer) Finish() error {
	if a.first || a.pending > 0 {
		return fmt.Errorf("%w: the last message must be", ErrUnsigned)
	}
	return nil
}

// Skew is how far the clock of the other side was ahead of ours, to the second,
// when it signed the last message that was verified; zero before one was.
func (a *Answer) Skew() time.Duration { return a.skew }

// codeError turns the error field of rec into an error. The server's clock,
// which BADTIME carries, is told but never used (RFC 8945 section 5.4.3).
func codeError(rec *record, now time.Time) error {
	switch rec.code {
	case codeBadKey:
		return ErrBadKey
	case codeBadSig:
		return ErrBadSig
	case codeBadTrunc:
		return ErrBadTrunc
	case codeBadTime:
		if len(rec.other) != 6 {
			return ErrBadTime
		}
		return skewError(ErrBadTime, uint48(rec.other), now)
	default:
		return fmt.Errorf("the other side answers TSIG error %d", rec.code)
	}
}

// SkewError is ErrTime or ErrBadTime with how far the clocks are apart.
type SkewError struct {
	Err  error
	Skew time.Duration // of the other side's clock ahead of ours
}

func (e *SkewError) Error() string {
	if e.Skew < 0 {
		return fmt.Sprintf("%s: theirs is %s behind ours", e.Err, -e.Skew)
	}
	return fmt.Sprintf("%s: theirs is %s ahead of ours", e.Err, e.Skew)
}

func (e *SkewError) Unwrap() error { return e.Err }

// skewError says how far the clock of the other side, at theirs seconds since
// 1970, is from ours.
func skewError(cause error, theirs uint64, now time.Time) error {
	return &SkewError{cause, skewOf(theirs, now)}
}

func skewOf(theirs uint64, now time.Time) time.Duration {
	const most = 1 << 32 // seconds; what is more would overflow a Duration
	return time.Duration(max(-most, min(most, int64(theirs)-now.Unix()))) * time.Second
}
