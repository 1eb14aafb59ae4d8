package nameserver

import (
	"secondaryd/internal/wire"
	"secondaryd/zonestore"
	"secondaryd/zonestore/zone"
)

// lookahead has the memory that queries of a batch will need fetched for all of
// them at once, before they are answered one by one.
type lookahead struct {
	zones    Zones
	seed     uint64
	probes   []zone.Probe
	foreseen []foreseen
}

// foreseen is what was found out about a query while looking ahead.
type foreseen struct {
	names  wire.Suffixes     // of the name in its question
	served *zonestore.Served // the deepest zone that the name is in, nil if there is none
	depth  int               // the label where that zone's name begins
	known  bool              // all of this; the name is plain
	folded [wire.MaxName]byte
}

// lookaheadFrom is the queries of a batch from which on it is worth its cost.
const lookaheadFrom = 4

func newLookahead(zones Zones, size int) *lookahead {
	return &lookahead{zones: zones, seed: zones.Seed(), probes: make([]zone.Probe, size), foreseen: make([]foreseen, size)}
}

// run looks at n queries. They may be anything.
func (l *lookahead) run(n int, query func(i int) []byte) {
	probes := l.probes[:n]
	for i := range probes {
		f := &l.foreseen[i]
		l.look(f, query(i))
		probes[i].Start(f.version(), &f.names)
	}
	for i := range probes {
		probes[i].Node()
	}
	for i := range probes {
		probes[i].Data()
	}
}

// query returns what run found out about query i, nil if that is nothing.
func (l *lookahead) query(i int) *foreseen {
	if f := &l.foreseen[i]; f.known {
		return f
	}
	return nil
}

// look finds the zone that the name in msg's question is in.
func (l *lookahead) look(f *foreseen, msg []byte) {
	f.served, f.known = nil, false
	name := questionName(msg)
	if name == nil {
		return
	}
	f.names.Set(wire.AppendFolded(f.folded[:0], name), l.seed)
	f.served, f.depth = l.zones.Find(&f.names, 0)
	f.known = true
}

// version returns the version that will answer, nil if none does.
func (f *foreseen) version() *zone.Zone {
	if f.served == nil {
		return nil
	}
	return f.served.View().Zone
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
