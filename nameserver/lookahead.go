package nameserver

import (
	"secondaryd/internal/wire"
	"secondaryd/zonestore"
	"secondaryd/zonestore/zone"
)

// lookahead has the memory that queries of a batch will need fetched for all of
// them at once, before they are answered one by one.
type lookahead struct {
	zones  Zones
	seed   uint64
	probes []zone.Probe
	names  wire.Suffixes
	folded [wire.MaxName]byte
}

// lookaheadFrom is the queries of a batch from which on it is worth its cost.
const lookaheadFrom = 4

func newLookahead(zones Zones, size int) *lookahead {
	return &lookahead{zones: zones, seed: zones.Seed(), probes: make([]zone.Probe, size)}
}

// run looks at n queries. They may be anything.
func (l *lookahead) run(n int, query func(i int) []byte) {
	probes := l.probes[:n]
	for i := range probes {
		probes[i].Start(l.zoneOf(query(i)), &l.names)
	}
	for i := range probes {
		probes[i].Node()
	}
	for i := range probes {
		probes[i].Data()
	}
}

// zoneOf returns the version that answers msg, nil if none does, and sets the
// names to those of its question.
func (l *lookahead) zoneOf(msg []byte) *zone.Zone {
	name := questionName(msg)
	if name == nil {
		return nil
	}
	l.names.Set(wire.AppendFolded(l.folded[:0], name), l.seed)
	served, _ := l.zones.Find(&l.names, 0)
	if served == nil {
		return nil
	}
	view := served.View()
	if view.State != zonestore.StateServing {
		return nil
	}
	return view.Zone
}

// questionName returns the name of msg's question if it is plain, else nil.
func questionName(msg []byte) wire.Name {
	for i := wire.HeaderSize; i < len(msg) && i < wire.HeaderSize+wire.MaxName; i += int(msg[i]) + 1 {
		if msg[i] == 0 {
			return wire.Name(msg[wire.HeaderSize : i+1])
		}
		if msg[i] > wire.MaxLabel {
			return nil
		}
	}
	return nil
}
