package primary

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// The faults of a stream, each in an answer that is right in all else.

// OtherQuestion puts q into each question section.
func OtherQuestion(q dns.Question) Script {
	return Each(func(_, _ int, m *dns.Msg) *dns.Msg {
		if len(m.Question) > 0 {
			m.Question = []dns.Question{q}
		}
		return m
	})
}

// WrongID answers under another ID.
func WrongID() Script {
	return Each(func(_, _ int, m *dns.Msg) *dns.Msg {
		m.Id++
		return m
	})
}

// WrongZone answers with the SOA of another zone, in each message that has one.
func WrongZone(name string) Script {
	return EachSOA(func(soa *dns.SOA) { soa.Hdr.Name = dns.Fqdn(name) })
}

// EachSOA changes every SOA of the answer.
func EachSOA(change func(*dns.SOA)) Script {
	return Each(func(_, _ int, m *dns.Msg) *dns.Msg {
		m.Answer = editSOA(m.Answer, change)
		return m
	})
}

// WithSerial has every SOA of the answer carry this serial.
func WithSerial(serial uint32) Script {
	return EachSOA(func(soa *dns.SOA) { soa.Serial = serial })
}

// FinalSOA changes the SOA that ends an AXFR, and no other.
func FinalSOA(change func(*dns.SOA)) Script {
	return Each(func(i, n int, m *dns.Msg) *dns.Msg {
		if last := len(m.Answer) - 1; i == n-1 && last >= 0 {
			m.Answer = append(m.Answer[:last], editSOA(m.Answer[last:], change)...)
		}
		return m
	})
}

// MidSOA repeats the SOA in the middle of an AXFR, changed by change, and goes
// on behind it.
func MidSOA(change func(*dns.SOA)) Script {
	return rebatched(func(records []dns.RR) []dns.RR {
		soa := dns.Copy(records[0]).(*dns.SOA)
		change(soa)
		return slices.Insert(records, (len(records)+1)/2, dns.RR(soa))
	}, batchOctets)
}

// OnePerMessage sends each record of an AXFR in a message of its own.
func OnePerMessage() Script {
	return rebatched(func(records []dns.RR) []dns.RR { return records }, 1)
}

// Endless begins like an AXFR and goes on with what next makes, without end, in
// messages of about batchOctets. It gives up after most octets.
func Endless(most int, next func(zone string, i int) dns.RR) Script {
	return func(e *Exchange) error {
		records := e.records()[:1]
		for i, sent := 0, 0; sent < most; records = nil {
			for size := 0; size < batchOctets; i++ {
				rr := next(e.Question().Name, i)
				records, size = append(records, rr), size+dns.Len(rr)
			}
			m := e.reply(dns.RcodeSuccess)
			m.Authoritative, m.Answer = true, records
			msg, err := e.Pack(m)
			if err != nil {
				return err
			}
			if err := e.write(msg); err != nil {
				return err
			}
			sent += len(msg)
		}
		return e.Stall()
	}
}

// Trickle sends an empty message, and another after each pause, without end.
func Trickle(pause time.Duration) Script {
	return func(e *Exchange) error {
		for {
			if err := e.Send(e.reply(dns.RcodeSuccess)); err != nil {
				return err
			}
			if err := e.Pause(pause); err != nil {
				return err
			}
		}
	}
}

// CutAfter ends the connection after n messages of one record each.
func CutAfter(n int) Script { return after(n, (*Exchange).Cut) }

// StallAfter falls silent after n messages of one record each.
func StallAfter(n int) Script { return after(n, (*Exchange).Stall) }

func after(n int, end func(*Exchange) error) Script {
	return func(e *Exchange) error {
		messages := e.Messages(e.records(), 1)
		for _, m := range messages[:min(n, len(messages))] {
			if err := e.Send(m); err != nil {
				return err
			}
		}
		return end(e)
	}
}

// LyingCounts announces extra records in the answer section that are not there
// (or hides some, when extra is negative). The answer is unsigned.
func LyingCounts(extra int) Script {
	return Rewritten(func(msg []byte) []byte {
		count := int(binary.BigEndian.Uint16(msg[6:]))
		binary.BigEndian.PutUint16(msg[6:], uint16(count+extra))
		return msg
	})
}

// Trailing puts octets behind each message. The answer is unsigned.
func Trailing(extra ...byte) Script {
	return Rewritten(func(msg []byte) []byte { return append(msg, extra...) })
}

// Rewritten sends the honest answer with the octets of each message as change
// leaves them, unsigned.
func Rewritten(change func([]byte) []byte) Script {
	return func(e *Exchange) error {
		for _, m := range e.Answer() {
			msg, err := m.Pack()
			if err != nil {
				return err
			}
			if err := e.Write(change(msg)); err != nil {
				return err
			}
		}
		return nil
	}
}
