package zone

import (
	"encoding/binary"

	"secondaryd/internal/wire"
)

// SOA is what the numbers of a SOA record say (RFC 1035 section 3.3.13). All
// but the serial are in seconds.
type SOA struct {
	Serial  uint32
	Refresh uint32
	Retry   uint32
	Expire  uint32
	Minimum uint32
}

// ParseSOA reads the numbers of an uncompressed SOA RDATA.
func ParseSOA(rdata []byte) (SOA, error) {
	off := 0
	for range 2 {
		next, err := wire.SkipName(rdata, off)
		if err != nil {
			return SOA{}, err
		}
		off = next
	}
	if len(rdata) != off+20 {
		return SOA{}, wire.ErrRdata
	}
	number := func(i int) uint32 { return binary.BigEndian.Uint32(rdata[off+4*i:]) }
	return SOA{Serial: number(0), Refresh: number(1), Retry: number(2), Expire: number(3), Minimum: number(4)}, nil
}
