package nameserver

import (
	"math"
	"time"

	"secondaryd/internal/wire"
	"secondaryd/zonestore"
)

const expireSize = 4

// giveExpire tells who asks for the SOA of a zone how many seconds its copy has
// left, so that a chain of secondaries does not add up their expiry times
// (RFC 7314 section 3.2).
func (r *responder) giveExpire(view *zonestore.View) {
	if r.query.qtype != wire.TypeSOA || !r.query.name.Equal(view.Zone.Apex()) {
		return
	}
	left := view.Expires.Sub(r.at) / time.Second
	r.expire = uint32(min(max(left, 0), math.MaxUint32))
	r.promise(withExpire, expireSize)
}
