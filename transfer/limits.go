package transfer

import (
	"net/netip"
	"time"

	"secondaryd/zonestore/zone"
)

// Limits bound what a primary may take of us and how a zone's SOA timers are
// read. All must be set; the settings' defaults are in package configs.
type Limits struct {
	Connect      time.Duration // until a connection stands, with its TLS
	FirstMessage time.Duration // until the answer begins
	Message      time.Duration // between two messages
	Total        time.Duration // for a whole transfer
	MinRate      int64         // octets a second, once a transfer has run for rateGrace; 0: any

	Bytes        int64 // octets of one transfer
	BytesRunning int64 // octets of all running transfers
	Messages     int   // of one transfer
	Records      int   // in a zone
	RRsetRecords int
	TypesPerName int

	Running        int // transfers at once
	RunningPerPeer int // refreshes at once with one peer address
	PollsPerSecond int // SOA queries to one peer address

	Guard     Guard
	AskAll    bool // ask all peers of a zone and take the newest version
	IXFRByUDP bool // ask for differences by UDP in place of the serial
	RequireAA bool // every message of a transfer must have AA

	Source4, Source6 netip.Addr // what is sent comes from; zero: the system chooses

	MinRetry      time.Duration
	MaxRetry      time.Duration
	MinExpire     time.Duration
	MaxExpire     time.Duration
	MaxBackoff    time.Duration
	DefaultRetry  time.Duration // for a SOA RETRY of 0
	DefaultExpire time.Duration // for a SOA EXPIRE of 0

	ForbidPrivate bool // no loopback or private addresses as peers
}

// rateGrace is how long a transfer may be slow.
const rateGrace = 30 * time.Second

// memoryPerOctet bounds the memory of a zone under construction by the octets
// of its transfer: compressed names grow, but not without end.
const memoryPerOctet = 4

func (l *Limits) builder() zone.Limits {
	return zone.Limits{
		Records:      l.Records,
		RRsetRecords: l.RRsetRecords,
		Types:        l.TypesPerName,
		Octets:       int(l.Bytes) * memoryPerOctet,
	}
}

// Lifetime is how long a copy with that SOA may be served after a primary
// confirmed it: SOA EXPIRE within the limits.
func (l *Limits) Lifetime(soa zone.SOA) time.Duration {
	if soa.Expire == 0 {
		return l.DefaultExpire
	}
	return bounded(soa.Expire, l.MinExpire, l.MaxExpire)
}

// granted is the lifetime that a peer gives a copy: what its EXPIRE option says,
// up to what the SOA says (RFC 7314 section 4).
func (l *Limits) granted(soa zone.SOA, e expiry) time.Duration {
	life := l.Lifetime(soa)
	if !e.given {
		return life
	}
	return min(life, bounded(e.seconds, l.MinExpire, l.MaxExpire))
}

// retry is how long to wait after the first failure: SOA RETRY within the limits.
func (l *Limits) retry(soa zone.SOA) time.Duration {
	if soa.Retry == 0 {
		return l.DefaultRetry
	}
	return bounded(soa.Retry, l.MinRetry, l.MaxRetry)
}

// bounded reads what a primary says of seconds.
func bounded(seconds uint32, least, most time.Duration) time.Duration {
	return min(max(time.Duration(seconds)*time.Second, least), most)
}
