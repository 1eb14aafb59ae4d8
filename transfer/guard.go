package transfer

import (
	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// guard checks a whole version before it may be published.
func guard(z *zone.Zone) error {
	if _, ok := z.Top().Set(wire.TypeNS); !ok {
		return &Error{Step: StepCheck, Cause: CauseNoNS}
	}
	return nil
}
