package nameserver

import (
	"math"
	"time"
)

const (
	keepaliveSize = 2
	keepaliveUnit = 100 * time.Millisecond // RFC 7828 section 3.1
)

// keepaliveOf is an idle timeout as a keepalive option holds it, never more
// than what is kept to.
func keepaliveOf(idle time.Duration) uint16 {
	return uint16(min(max(idle/keepaliveUnit, 0), math.MaxUint16))
}

// giveKeepalive tells a TCP client how long its connection may be idle. A
// client must not name a time itself (RFC 7828 section 3.2.1); over UDP the
// option means nothing (section 3.3.1).
func (r *responder) giveKeepalive() bool {
	if r.transport == UDP {
		return true
	}
	if r.query.edns.keepaliveData {
		return false
	}
	r.promise(withKeepalive, keepaliveSize)
	return true
}
