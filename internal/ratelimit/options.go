package ratelimit

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// Values of Options that are 0.
const (
	DefaultIPv4Prefix = 24
	DefaultIPv6Prefix = 56
	DefaultSize       = 100_000
)

// Unlimited is the rate of a class without a limit, whatever Options.Rate is.
const Unlimited = -1

// Bounds of Options.
const (
	MaxRate   = 1_000_000
	MaxSlip   = 100
	MaxWindow = time.Hour
	MaxSize   = 1 << 24
)

// Options of a Table. The zero value limits nothing.
type Options struct {
	// Rate is the number of answers a second that one bucket lets through; 0
	// limits nothing. The other rates are those of their classes; 0 is Rate.
	Rate         int
	NoDataRate   int
	ReferralRate int
	NXDomainRate int
	ErrorRate    int

	// Slip lets every Slip-th limited answer go out truncated: 1 all, 0 none.
	Slip int

	// Window bounds the debt that limited answers run up. With 0 they cost nothing,
	// and a bucket lets the rate through under any flood, as Knot does. Else it is
	// as in BIND (15 s): who keeps on above the rate gets no answers but slipped
	// ones, and the next once silent for Window at most.
	Window time.Duration

	// Prefix lengths of the blocks of addresses that share buckets.
	IPv4Prefix, IPv6Prefix int

	Exempt  []netip.Prefix // clients without a limit
	LogOnly bool           // decide as always, but send everything

	// Size is the number of buckets, each of EntrySize octets, in sets of four. It
	// should be twice the queries a second that the server can take, divided by
	// Rate, for so many buckets can be limited at a time.
	Size int
}

// Limits reports whether a class has a limit. Without one no table is needed.
func (o Options) Limits() bool {
	o = o.withDefaults()
	for _, rate := range o.rates() {
		if rate > 0 {
			return true
		}
	}
	return false
}

func (o Options) withDefaults() Options {
	o.NoDataRate = cmp.Or(o.NoDataRate, o.Rate)
	o.ReferralRate = cmp.Or(o.ReferralRate, o.Rate)
	o.NXDomainRate = cmp.Or(o.NXDomainRate, o.Rate)
	o.ErrorRate = cmp.Or(o.ErrorRate, o.Rate)
	o.IPv4Prefix = cmp.Or(o.IPv4Prefix, DefaultIPv4Prefix)
	o.IPv6Prefix = cmp.Or(o.IPv6Prefix, DefaultIPv6Prefix)
	o.Size = cmp.Or(o.Size, DefaultSize)
	return o
}

func (o *Options) rates() [classes]int {
	return [classes]int{
		Positive: o.Rate, NoData: o.NoDataRate, Referral: o.ReferralRate,
		NXDomain: o.NXDomainRate, Error: o.ErrorRate,
	}
}

// validate names every option out of its bounds.
func (o *Options) validate() error {
	var faults []error
	within := func(name string, value, low, high int) {
		if value < low || value > high {
			faults = append(faults, fmt.Errorf("rate limit: %s is %d, must be %d to %d", name, value, low, high))
		}
	}
	within("rate", o.Rate, Unlimited, MaxRate)
	within("NODATA rate", o.NoDataRate, Unlimited, MaxRate)
	within("referral rate", o.ReferralRate, Unlimited, MaxRate)
	within("NXDOMAIN rate", o.NXDomainRate, Unlimited, MaxRate)
	within("error rate", o.ErrorRate, Unlimited, MaxRate)
	within("slip", o.Slip, 0, MaxSlip)
	within("IPv4 prefix length", o.IPv4Prefix, 1, 32)
	within("IPv6 prefix length", o.IPv6Prefix, 1, 128)
	within("size", o.Size, 1, MaxSize)
	if o.Window < 0 || o.Window > MaxWindow {
		faults = append(faults, fmt.Errorf("rate limit: window is %v, must be 0s to %v", o.Window, MaxWindow))
	}
	for i, p := range o.Exempt {
		if !p.IsValid() {
			faults = append(faults, fmt.Errorf("rate limit: exempt prefix %d of %d is not valid", i+1, len(o.Exempt)))
		}
	}
	return errors.Join(faults...)
}
