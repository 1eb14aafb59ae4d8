package nameserver

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"go.uber.org/zap"
)

// udpServer answers the queries of one socket, as many at a time as have
// arrived, without allocating.
type udpServer struct {
	batch  *batch
	ahead  *lookahead
	worker *worker
	from   arrival // of the query at hand
}

// run answers until the batch is stopped.
func (u *udpServer) run(ctx context.Context) {
	for {
		n, err := u.batch.receive()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil && !u.failed(ctx, err) {
			return
		}
		u.answer(n)
	}
}

// answer answers the n queries of the batch. An answer that can't be sent is
// only counted, for the client will ask again.
func (u *udpServer) answer(n int) {
	now := time.Now()
	u.from = arrival{transport: UDP, at: now}
	foreseen := n >= lookaheadFrom && u.lookAhead(n)
	for i := range n {
		u.from.client = u.batch.client(i)
		if foreseen {
			u.from.foreseen = u.ahead.query(i)
		}
		if answer := u.worker.handle(u.batch.query(i), &u.from, u.batch.room()); answer != nil {
			u.batch.reply(i, answer)
		}
	}
	u.worker.answered(UDP, now)
	for range u.batch.send() {
		u.worker.metrics.SendFailed(UDP)
	}
}

// lookAhead prepares for the n queries. A bug there costs time and no answer.
func (u *udpServer) lookAhead(n int) (done bool) {
	defer func() {
		if fault := recover(); fault != nil {
			u.worker.panicked(fault, netip.AddrPort{})
		}
	}()
	u.ahead.run(n, u.batch.query)
	return true
}

// failed reports an error of receiving that is not the end, and waits a little,
// for it may last. It reports false when ctx has ended.
func (u *udpServer) failed(ctx context.Context, err error) bool {
	if u.worker.faults.Allow() {
		u.worker.log.Error("can't receive", zap.String("address", u.batch.address), zap.Error(err))
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(faultPause):
		return true
	}
}

// faultPause keeps an error that lasts from making a loop spin.
const faultPause = 10 * time.Millisecond
