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
	limiter   *limiter      // nil without limits; shared by all workers
	ready     int           // answers whose time is not counted yet
	byZone    int           // the number of workers, if queries are counted for each zone too; else 0
}

// handle returns the answer to msg in out's memory, or nil.
func (w *worker) handle(msg []byte, from *arrival, out []byte) (answer []byte) {
	defer func() {
		if fault := recover(); fault != nil {
			w.panicked(fault, from.client)
			answer = serverFailure(msg, out)
		}
	}()
	answer = w.responder.answer(msg, from, out)
	if answer == nil || w.responder.query.header.Opcode() == wire.OpcodeNotify {
		return answer
	}
	if answer = w.limit(answer); answer != nil {
		w.counters.Answered(from.transport, w.responder.query.qtype, w.responder.rcode, len(answer))
		w.ready++
		if zone := w.responder.asked; zone != nil && w.byZone > 0 {
			zone.CountQueries(w.byZone).Answered(w.counters, w.responder.rcode)
		}
	}
	return answer
}

// answered counts how long the answers since the last call took. The clock is
// read once for all that came together, for that takes as long as some answers.
func (w *worker) answered(transport Transport, since time.Time) {
	if w.ready > 0 {
		w.counters.Took(transport, w.ready, time.Since(since))
		w.ready = 0
	}
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
