package transfer

import (
	"secondaryd/internal/wire"
	"secondaryd/zonestore/zone"
)

// glimpse looks at the first two records of a transfer, which tell its form. It
// implements assembler and makes nothing.
type glimpse struct {
	apex wire.Name
	base *zone.Zone // of which the differences were asked for, nil in an AXFR
	step Step

	records int
	first   zone.SOA
	from    *uint32 // the serial that differences begin with, nil for a whole zone
}

func (g *glimpse) record(rr *wire.RR, rdata []byte) (err error) {
	g.records++
	switch {
	case g.records == 1:
		g.first, err = firstSOA(g.step, g.apex, rr, rdata)
	case g.records == 2 && rr.Type == wire.TypeSOA && rr.Owner.Equal(g.apex):
		var soa zone.SOA
		if soa, err = zone.ParseSOA(rdata); soa.Serial != g.first.Serial {
			g.from = &soa.Serial
		}
	}
	return err
}

// complete reports whether the form is known. For an AXFR the first record says
// enough: it is permitted.
func (g *glimpse) complete() bool {
	return g.records > 1 || g.records == 1 && (g.base == nil || !newer(g.first.Serial, g.base.Serial()))
}

func (g *glimpse) version() (received, error) { return received{}, nil }
