package nameserver

import (
	"net/netip"
	"runtime/debug"
	"time"

	"go.uber.org/zap"
	"golang.org/x/time/rate"

	"secondaryd/internal/wire"
	"secondaryd/metrics"
)

// worker answers messages with a responder of its own, counts them, and holds
// whatever goes wrong in one message to that message.
type worker struct {
	responder *responder
	counters  *metrics.DNSWorker
	metrics   *metrics.DNS
	log       *zap.Logger
	faults    *rate.Limiter // of log lines, shared by all workers
}

// handle returns the answer to msg in out's memory, or nil.
func (w *worker) handle(msg []byte, transport Transport, client netip.AddrPort, out []byte) (answer []byte) {
	start := time.Now()
	defer func() {
		if fault := recover(); fault != nil {
			w.panicked(fault, client)
			answer = serverFailure(msg, out)
		}
	}()
	answer = w.responder.answer(msg, arrival{transport, client, start}, out)
	if answer != nil && w.responder.query.header.Opcode() != wire.OpcodeNotify {
		w.counters.Answered(transport, w.responder.query.qtype, w.responder.rcode, time.Since(start))
	}
	return answer
}

func (w *worker) panicked(fault any, client netip.AddrPort) {
	w.metrics.Panicked()
	if w.faults.Allow() {
		w.log.Error("answering panicked", zap.Stringer("peer", client), zap.Any("error", fault), zap.ByteString("stack", debug.Stack()))
	}
}

// serverFailure is SERVFAIL without anything that would have to be worked out.
func serverFailure(msg, out []byte) []byte {
	header, ok := wire.ParseHeader(msg)
	if !ok {
		return nil
	}
	flags := wire.FlagQR | header.Flags&(opcodeBits|wire.FlagRD) | rcodeServFail
	return wire.Header{ID: header.ID, Flags: flags}.Append(out[:0])
}
