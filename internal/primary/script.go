package primary

import (
	"slices"

	"github.com/miekg/dns"
)

// Script answers one request. An error ends a TCP connection; after nil the next
// request of the connection is read. Scripts run concurrently.
type Script func(*Exchange) error

// Honest is the answer of a primary without fault.
func Honest(e *Exchange) error {
	if e.Failure != 0 {
		return e.Fail(e.Failure)
	}
	for _, m := range e.Answer() {
		if err := e.Send(m); err != nil {
			return err
		}
	}
	return nil
}

// On plays the script for requests of one type and is honest with all others.
func On(qtype uint16, script Script) Script {
	return func(e *Exchange) error {
		if e.Question().Qtype == qtype {
			return script(e)
		}
		return Honest(e)
	}
}

// Rcode answers with this code and nothing else, signed when the request was.
func Rcode(rcode int) Script {
	return func(e *Exchange) error { return e.Send(e.reply(rcode)) }
}

// Silence never answers and keeps the connection.
func Silence(e *Exchange) error { return e.Stall() }

// Each sends the honest answer with each message as change leaves it; i counts
// from 0 up to n-1. The records are shared with the zone: change must copy what
// it writes to. A message of which nil is made is left out.
func Each(change func(i, n int, m *dns.Msg) *dns.Msg) Script {
	return func(e *Exchange) error { return e.sendEach(e.Answer(), change) }
}

// EachRecord is Each with one record a message.
func EachRecord(change func(i, n int, m *dns.Msg) *dns.Msg) Script {
	return func(e *Exchange) error { return e.sendEach(e.Messages(e.records(), 1), change) }
}

func (e *Exchange) sendEach(messages []*dns.Msg, change func(i, n int, m *dns.Msg) *dns.Msg) error {
	for i, m := range messages {
		m = change(i, len(messages), m)
		if m == nil {
			continue
		}
		if err := e.Send(m); err != nil {
			return err
		}
	}
	return nil
}

// With sends an AXFR of the records that change makes of the honest list, which
// begins and ends with the SOA. The list is the script's own, its records are not.
func With(change func([]dns.RR) []dns.RR) Script {
	return rebatched(change, batchOctets)
}

func rebatched(change func([]dns.RR) []dns.RR, octets int) Script {
	return func(e *Exchange) error {
		records := e.records()
		if len(records) < 2 {
			return Honest(e)
		}
		for _, m := range e.Messages(change(records), octets) {
			if err := e.Send(m); err != nil {
				return err
			}
		}
		return nil
	}
}

// records are the answer records of the honest answer, in order.
func (e *Exchange) records() []dns.RR {
	var records []dns.RR
	for _, m := range e.Answer() {
		records = append(records, m.Answer...)
	}
	return records
}

// editSOA copies the list and those SOA in it that change is to write to.
func editSOA(records []dns.RR, change func(*dns.SOA)) []dns.RR {
	records = slices.Clone(records)
	for i, rr := range records {
		if soa, ok := rr.(*dns.SOA); ok {
			soa = dns.Copy(soa).(*dns.SOA)
			change(soa)
			records[i] = soa
		}
	}
	return records
}
