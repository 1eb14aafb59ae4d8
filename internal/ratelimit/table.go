// Package ratelimit decides which UDP answers to send, so that the server is of
// little use as an amplifier. The model is that of BIND and NSD: one bucket for
// like answers to one block of addresses. An attack in a victim's name stops the
// victim's answers of that kind, where Knot's counts per address stop them all.
// A Table may be used by many goroutines: it takes no lock and allocates nothing.
package ratelimit

import (
	"math/bits"
	"net/netip"
	"time"
)

// Class is the kind of an answer. The hash that goes with it says which answers
// of the class are alike.
type Class uint8

// Classes, and what to hash for each. A name that a wildcard answers counts as
// the wildcard's, else an attacker has as many buckets as there are names.
const (
	Positive Class = iota // query name and type
	NoData                // query name
	Referral              // name of the delegation
	NXDomain              // zone or closest encloser
	Error                 // nothing: 0
	classes
)

var classNames = [classes]string{
	Positive: "positive", NoData: "NODATA", Referral: "referral", NXDomain: "NXDOMAIN", Error: "error",
}

// String returns the name of c, as logs and errors have it.
func (c Class) String() string { return classNames[c] }

// Action is what to do with an answer.
type Action uint8

// Send is the zero value. A slipped answer is empty and has TC set, so that a
// client which is no forgery comes back by TCP.
const (
	Send Action = iota
	Slip
	Drop
)

// Decision is what a Table says of one answer.
type Decision struct {
	Action  Action
	Limited bool // over the rate, also where Options.LogOnly sends it
	Started bool // the first over the rate since the bucket was full
	Ended   bool // the bucket had been limited, and is full again
}

// Table holds the buckets of all clients in constant memory. It is shared by the
// workers, for the kernel spreads one client's ports over all of them, and a
// table each would allow each the whole rate. What a check writes is the line of
// its bucket, which two workers share only while they serve the same block: then
// 70 ns where it is 15, by BenchmarkTwoWorkers, if they do nothing else.
type Table struct {
	limits  [classes]limit
	blocks  blocks
	exempt  exemptions
	secret  secret
	logOnly bool
	sets    []set
}

// New returns a table with the limits of o.
func New(o Options) (*Table, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	t := &Table{
		blocks:  newBlocks(o.IPv4Prefix, o.IPv6Prefix),
		exempt:  newExemptions(o.Exempt),
		secret:  newSecret(),
		logOnly: o.LogOnly,
		sets:    make([]set, (o.Size+ways-1)/ways),
	}
	for class, rate := range o.rates() {
		t.limits[class] = newLimit(rate, o.Window, o.Slip)
	}
	return t, nil
}

// Decide counts an answer to client and says what to do with it. The time is
// since any moment before the first call, the same for all callers; their clocks
// may differ a little. Answers over TCP or to a good cookie are not to be asked for.
func (t *Table) Decide(now time.Duration, client netip.Addr, class Class, hash uint64) Decision {
	l := &t.limits[class]
	if l.interval == 0 {
		return Decision{}
	}
	from := addressOf(client)
	if t.exempt.contain(from) {
		return Decision{}
	}
	d := t.charge(l, t.secret.key(t.blocks.of(from), class, hash), instantOf(now))
	if t.logOnly {
		d.Action = Send
	}
	return d
}

// Block returns the block of addresses that client shares its buckets with.
func (t *Table) Block(client netip.Addr) netip.Prefix {
	client = client.Unmap()
	length := t.blocks.v6Length
	if client.Is4() {
		length = t.blocks.v4Length
	}
	block, err := client.Prefix(length)
	if err != nil {
		return netip.Prefix{} // of no address
	}
	return block
}

func (t *Table) charge(l *limit, key uint64, now instant) Decision {
	at, _ := bits.Mul64(key, uint64(len(t.sets)))
	s := &t.sets[at]
	for i := range s.keys {
		if s.keys[i].Load() == key {
			return l.charge(&s.buckets[i], now)
		}
	}
	return s.admit(key, l, now)
}
