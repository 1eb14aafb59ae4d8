package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	"secondaryd/internal/tsig"
	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	opError := func(err error) error {
		return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
	}
	for _, c := range []struct {
		during Step
		err    error
		step   Step
		cause  Cause
	}{
		{StepSOA, tsig.ErrBadKey, StepTSIG, CauseBadKey},
		{StepAXFR, tsig.ErrOtherAlgorithm, StepTSIG, CauseAlgorithm},
		{StepAXFR, tsig.ErrBadSig, StepTSIG, CauseSecret},
		{StepAXFR, tsig.ErrMAC, StepTSIG, CauseSecret},
		{StepAXFR, fmt.Errorf("%w: theirs is behind", tsig.ErrBadTime), StepTSIG, CauseClock},
		{StepAXFR, tsig.ErrTime, StepTSIG, CauseClock},
		{StepAXFR, tsig.ErrUnsigned, StepTSIG, CauseUnsigned},
		{StepAXFR, tsig.ErrTooManyUnsigned, StepTSIG, CauseUnsigned},
		{StepAXFR, tsig.ErrOtherKey, StepTSIG, CauseOtherKey},
		{StepAXFR, tsig.ErrBadTrunc, StepTSIG, CauseTSIG},
		{StepAXFR, fmt.Errorf("%w: %w", tsig.ErrRecord, wire.ErrShort), StepTSIG, CauseTSIG},
		{StepAXFR, &zone.LimitError{What: "records", Limit: 1}, StepAXFR, CauseLimit},
		{StepAXFR, zone.ErrOutOfZone, StepAXFR, CauseForeign},
		{StepAXFR, zone.ErrMetaType, StepAXFR, CauseForeign},
		{StepAXFR, zone.ErrForeignSOA, StepAXFR, CauseForeign},
		{StepAXFR, zone.ErrNoSOA, StepAXFR, CauseStructure},
		{StepAXFR, zone.ErrManySOA, StepAXFR, CauseStructure},
		{StepSOA, wire.ErrShort, StepSOA, CauseMalformed},
		{StepSOA, wire.ErrLabel, StepSOA, CauseMalformed},
		{StepSOA, wire.ErrPointer, StepSOA, CauseMalformed},
		{StepSOA, wire.ErrNameLong, StepSOA, CauseMalformed},
		{StepSOA, wire.ErrRdata, StepSOA, CauseMalformed},
		{StepSOA, wire.ErrRdataLong, StepSOA, CauseMalformed},
		{StepConnect, opError(syscall.ECONNREFUSED), StepConnect, CauseConnRefused},
		{StepSOA, opError(syscall.ECONNREFUSED), StepConnect, CauseConnRefused},
		{StepConnect, opError(syscall.ENETUNREACH), StepConnect, CauseUnreachable},
		{StepConnect, opError(syscall.EHOSTUNREACH), StepConnect, CauseUnreachable},
		{StepConnect, opError(syscall.ETIMEDOUT), StepConnect, CauseConnectTimeout},
		{StepConnect, context.DeadlineExceeded, StepConnect, CauseConnectTimeout},
		{StepAXFR, opError(syscall.ECONNRESET), StepAXFR, CauseReset},
		{StepAXFR, opError(syscall.EPIPE), StepAXFR, CauseReset},
		{StepSOA, io.EOF, StepSOA, CauseClosed},
		{StepAXFR, io.ErrUnexpectedEOF, StepAXFR, CauseClosed},
		{StepSOA, os.ErrDeadlineExceeded, StepSOA, CauseNoAnswer},
		{StepAXFR, errors.New("something else"), StepAXFR, CauseInternal},
		{StepAXFR, fmt.Errorf("wrapped: %w", &Error{Step: StepCheck, Cause: CauseNoNS}), StepCheck, CauseNoNS},
	} {
		got := classify(c.during, c.err)
		if got.Step != c.step || got.Cause != c.cause {
			t.Errorf("%v: got %s: %s, want %s: %s", c.err, got.Step, got.Cause, c.step, c.cause)
		}
		if !errors.Is(got, c.err) && !errors.Is(c.err, got) {
			t.Errorf("%v: the details are lost", c.err)
		}
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	e := &Error{Step: StepSOA, Cause: CauseLame}
	if got, want := e.Error(), "SOA: the peer answers without authority for the zone"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	e = fail(StepConnect, CauseConnRefused, "dial: %w", syscall.ECONNREFUSED)
	if !strings.HasSuffix(e.Error(), ": dial: connection refused") {
		t.Errorf("got %q, want the details at its end", e.Error())
	}
	if !errors.Is(e, syscall.ECONNREFUSED) {
		t.Error("the details can't be asked for")
	}
}
