package zone

import (
	"sync"

	"secondaryd/internal/wire"
)

// A workspace is what making a zone takes besides the zone itself. Small zones
// come by the thousand, and one serves for them all, one after the other.
type workspace struct {
	folded   [wire.MaxName]byte
	suffixes wire.Suffixes
	hashes   [wire.MaxLabels + 1]uint64 // see ascent
	pending  batch
}

var workspaces = sync.Pool{New: func() any { return new(workspace) }}

func takeWorkspace() *workspace { return workspaces.Get().(*workspace) }

// A workspace that has room for more than that is not kept.
const (
	keptOctets  = 64 << 10 // of RDATA
	keptRecords = 1024
)

// leave gives the workspace to the next who makes a zone: this one is made.
func (g *grower) leave() {
	w := g.workspace
	g.workspace = nil
	if p := &w.pending; cap(p.data) > keptOctets || cap(p.records) > keptRecords || cap(p.sets) > keptRecords {
		return
	}
	w.pending.reset()
	workspaces.Put(w)
}
