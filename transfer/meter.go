package transfer

import (
	"errors"
	"io"
	"sync/atomic"
	"time"
)

// meter reads the messages of one transfer and holds it to its limits of octets,
// messages and time.
type meter struct {
	limits *Limits
	step   Step
	most   int64 // octets
	budget *budget
	intake
	start  time.Time
	octets atomic.Int64
	ended  atomic.Bool // it gave way to another
}

// message reads the next message into buf, which has its size. It is one behind
// so many others.
func (m *meter) message(buf []byte, messages int) ([]byte, error) {
	if messages >= m.limits.Messages {
		return nil, tooMany(m.step, messagesOfTransfer, m.limits.Messages)
	}
	if err := m.count(len(buf)); err != nil {
		return nil, err
	}
	if err := within(m.conn, m.limits.Message); err != nil {
		return nil, m.cut(err, messages)
	}
	if _, err := io.ReadFull(m, buf); err != nil {
		return nil, m.cut(err, messages)
	}
	if err := within(m.conn, m.limits.Message); err != nil {
		return nil, m.cut(err, messages)
	}
	return buf, nil
}

// count adds a message of n octets.
func (m *meter) count(n int) error {
	if !m.budget.take(int64(n)) {
		return fail(m.step, CauseBudget, "%d octets", m.limits.BytesRunning)
	}
	octets := m.octets.Add(int64(n))
	if octets > m.most {
		return tooMany(m.step, octetsOfTransfer, int(m.most))
	}
	took := time.Since(m.start)
	if took > rateGrace && octets < int64(took.Seconds()*float64(m.limits.MinRate)) {
		return fail(m.step, CauseSlow, "%d octets in %s", octets, took.Round(time.Second))
	}
	return nil
}

// cut says of a failed read what it means in a stream of which some messages
// have come (RFC 5936 section 4.1.1: what was received is worthless).
func (m *meter) cut(err error, messages int) error {
	switch {
	case m.ended.Load():
		return fail(m.step, CauseGaveWay, "%d octets in %s", m.octets.Load(), time.Since(m.start).Round(time.Second))
	case messages == 0:
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return fail(m.step, CauseCut, "after %d messages: %w", messages, err)
	case isTimeout(err):
		return fail(m.step, CauseStalled, "after %d messages: %w", messages, err)
	default:
		return err
	}
}

// rate is the octets a second so far.
func (m *meter) rate(now time.Time) float64 {
	return float64(m.octets.Load()) / max(now.Sub(m.start), time.Millisecond).Seconds()
}

// giveWay ends the transfer, from another goroutine, for one that waits.
func (m *meter) giveWay() {
	m.ended.Store(true)
	_ = m.conn.Close() // what was to come is given up
}

func (m *meter) release() { m.budget.give(m.octets.Load()) }
