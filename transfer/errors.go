package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"secondaryd/internal/tsig"
	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// Step is the part of a refresh that failed.
type Step string

// The steps, in the order they are taken.
const (
	StepConnect Step = "connect"
	StepTLS     Step = "TLS"
	StepSOA     Step = "SOA"
	StepIXFR    Step = "IXFR"
	StepAXFR    Step = "AXFR"
	StepTSIG    Step = "TSIG"
	StepCheck   Step = "check"
)

// Cause is why a step failed, as a fixed phrase for people: a metric can carry
// it, since there are only these.
type Cause string

// The causes.
const (
	CauseNoAddress      Cause = "the peer has no ip address configured"
	CauseForbidden      Cause = "the peer's address must not be contacted"
	CauseConnRefused    Cause = "connection refused: nothing listens on the peer's address and port"
	CauseUnreachable    Cause = "the peer's address can't be reached"
	CauseConnectTimeout Cause = "no connection in time"
	CauseReset          Cause = "the peer reset the connection"
	CauseClosed         Cause = "the peer closed the connection without an answer"
	CauseCut            Cause = "the stream was cut before the zone was complete"
	CauseNoAnswer       Cause = "no answer in time"
	CauseStalled        Cause = "the stream stopped before the zone was complete"
	CauseSlow           Cause = "the transfer is slower than the least rate"
	CauseGaveWay        Cause = "the transfer was the slowest when others waited for its place"
	CauseTooLong        Cause = "the transfer took longer than the limit"
	CauseCrowded        Cause = "the peer is asked for as many other zones as it may be"
	CauseLeftOut        Cause = "the peer did not answer again and again: it is asked only now and then"
	CauseRefused        Cause = "the peer refuses: it does not allow this to our address or key"
	CauseNotAuth        Cause = "the peer does not hold the zone (NOTAUTH)"
	CauseLame           Cause = "the peer answers without authority for the zone"
	CauseServFail       Cause = "the peer has a fault of its own (SERVFAIL)"
	CauseFormErr        Cause = "the peer does not understand the question (FORMERR)"
	CauseNotImp         Cause = "the peer can't do this (NOTIMP)"
	CauseRcode          Cause = "the peer answers with an error code"
	CauseNoSOA          Cause = "the answer holds no SOA of the zone"
	CauseWrongZone      Cause = "the answer is for another zone"
	CauseNotAnswer      Cause = "the message is not an answer to our question"
	CauseNotDNS         Cause = "what answers is not DNS"
	CauseMalformed      Cause = "the message is malformed"
	CauseStructure      Cause = "the stream is not one whole zone"
	CauseChain          Cause = "the differences do not lead from our version to the peer's"
	CauseMisfit         Cause = "the differences do not fit our version"
	CauseForeign        Cause = "the stream holds records that do not belong to the zone"
	CauseLimit          Cause = "the zone exceeds a limit"
	CauseBudget         Cause = "all running transfers together exceed their limit"
	CauseOlder          Cause = "the peer's copy is older than ours"
	CauseRolledBack     Cause = "an operator went back from this version"
	CauseNoNS           Cause = "the zone has no NS record at its apex"
	CauseShrink         Cause = "the zone has lost more of its records than it may"
	CauseFaults         Cause = "the zone has records that must not be together"
	CauseZONEMD         Cause = "the zone is not what its ZONEMD record says"
	CauseDNSSEC         Cause = "a resolver would not accept the zone's signatures"
	CauseIterations     Cause = "the zone's NSEC3 chain has too many iterations"
	CauseBadKey         Cause = "the peer does not know the name of the key"
	CauseAlgorithm      Cause = "the peer has the key with another algorithm"
	CauseSecret         Cause = "the secrets of the key differ"
	CauseClock          Cause = "the clocks differ too much"
	CauseUnsigned       Cause = "the answer is not signed, but the peer has a key"
	CauseOtherKey       Cause = "the answer is signed with another key"
	CauseTSIG           Cause = "the signature of the answer can't be used"
	CauseNotTrusted     Cause = "nobody trusted has issued the peer's certificate"
	CauseValidity       Cause = "the peer's certificate is not valid at this time"
	CauseHostName       Cause = "the peer's certificate is for another name"
	CausePin            Cause = "the peer's public key is not among the pins"
	CauseNoDoT          Cause = "the peer does not offer DNS over TLS (ALPN dot)"
	CauseTLSVersion     Cause = "the peer does not speak TLS 1.3"
	CauseClient         Cause = "the peer wants a client certificate that it trusts"
	CauseNotTLS         Cause = "what the peer speaks is not TLS"
	CauseTLS            Cause = "there is no TLS session with the peer"
	CauseInternal       Cause = "a fault of our own"
)

// Error is a failed step of a refresh.
type Error struct {
	Step  Step
	Cause Cause
	Err   error // the details
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("%s: %s", e.Step, e.Cause)
	}
	return fmt.Sprintf("%s: %s: %v", e.Step, e.Cause, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

func fail(step Step, cause Cause, format string, args ...any) *Error {
	return &Error{Step: step, Cause: cause, Err: fmt.Errorf(format, args...)}
}

// causes maps errors of the packages below to causes; the first that fits wins.
var causes = []struct {
	err   error
	step  Step // empty: the step that was under way
	cause Cause
}{
	{tsig.ErrBadKey, StepTSIG, CauseBadKey},
	{tsig.ErrOtherAlgorithm, StepTSIG, CauseAlgorithm},
	{tsig.ErrBadSig, StepTSIG, CauseSecret},
	{tsig.ErrMAC, StepTSIG, CauseSecret},
	{tsig.ErrTime, StepTSIG, CauseClock},
	{tsig.ErrBadTime, StepTSIG, CauseClock},
	{tsig.ErrUnsigned, StepTSIG, CauseUnsigned},
	{tsig.ErrTooManyUnsigned, StepTSIG, CauseUnsigned},
	{tsig.ErrOtherKey, StepTSIG, CauseOtherKey},
	{tsig.ErrBadTrunc, StepTSIG, CauseTSIG},
	{tsig.ErrRecord, StepTSIG, CauseTSIG},
	{zone.ErrMissing, "", CauseMisfit},
	{zone.ErrPresent, "", CauseMisfit},
	{zone.ErrOutOfZone, "", CauseForeign},
	{zone.ErrMetaType, "", CauseForeign},
	{zone.ErrForeignSOA, "", CauseForeign},
	{zone.ErrNoSOA, "", CauseStructure},
	{zone.ErrManySOA, "", CauseStructure},
	{wire.ErrShort, "", CauseMalformed},
	{wire.ErrLabel, "", CauseMalformed},
	{wire.ErrPointer, "", CauseMalformed},
	{wire.ErrNameLong, "", CauseMalformed},
	{wire.ErrRdata, "", CauseMalformed},
	{wire.ErrRdataLong, "", CauseMalformed},
	{syscall.ECONNREFUSED, StepConnect, CauseConnRefused},
	{syscall.ENETUNREACH, StepConnect, CauseUnreachable},
	{syscall.EHOSTUNREACH, StepConnect, CauseUnreachable},
	{syscall.ECONNRESET, "", CauseReset},
	{syscall.EPIPE, "", CauseReset},
}

// classify gives err, met during step, its cause.
func classify(step Step, err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if _, ok := errors.AsType[*zone.LimitError](err); ok {
		return &Error{step, CauseLimit, err}
	}
	if cause := causeOfTLS(err); cause != "" {
		return &Error{StepTLS, cause, err}
	}
	for _, c := range causes {
		if !errors.Is(err, c.err) {
			continue
		}
		if c.step != "" {
			step = c.step
		}
		return &Error{step, c.cause, err}
	}
	return &Error{step, causeOfRead(step, err), err}
}

// causeOfRead tells the ways apart in which a connection ends.
func causeOfRead(step Step, err error) Cause {
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return CauseClosed
	case step == StepTLS && !isTimeout(err):
		return CauseTLS
	case !isTimeout(err):
		return CauseInternal
	case step == StepConnect:
		return CauseConnectTimeout
	default:
		return CauseNoAnswer
	}
}

func isTimeout(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	netErr, ok := errors.AsType[net.Error](err)
	return ok && netErr.Timeout()
}
