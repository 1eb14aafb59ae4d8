package archive

import (
	"slices"
	"testing"
)

// TestSettle: the chain of a zone is found in whatever order its records lie.
func TestSettle(t *testing.T) {
	t.Parallel()
	whole := func(seq uint64) head { return head{kind: kindCopy, seq: seq} }
	delta := func(seq, prev uint64) head { return head{kind: kindDelta, seq: seq, prev: prev} }
	removed := func(seq uint64) head { return head{kind: kindRemoved, seq: seq} }
	for name, tc := range map[string]struct {
		records []head
		lost    uint64
		chain   []uint64 // seqs
		there   bool
		damaged bool
	}{
		"a copy":                    {records: []head{whole(1)}, chain: []uint64{1}, there: true},
		"the newest of copies":      {records: []head{whole(3), whole(9), whole(5)}, chain: []uint64{9}, there: true},
		"a chain":                   {records: []head{whole(1), delta(4, 1), delta(7, 4)}, chain: []uint64{1, 4, 7}, there: true},
		"a chain in another order":  {records: []head{delta(7, 4), whole(1), delta(4, 1)}, chain: []uint64{1, 4, 7}, there: true},
		"records that were moved":   {records: []head{whole(1), delta(4, 1), whole(1), delta(4, 1)}, chain: []uint64{1, 4}, there: true},
		"deltas of a copy before":   {records: []head{whole(1), delta(4, 1), delta(7, 4), whole(5)}, chain: []uint64{5, 7}, damaged: true, there: true},
		"a copy after deltas":       {records: []head{whole(1), delta(4, 1), whole(5)}, chain: []uint64{5}, there: true},
		"removed":                   {records: []head{whole(1), delta(4, 1), removed(5)}, chain: []uint64{5}},
		"saved after that":          {records: []head{whole(6), whole(1), removed(5)}, chain: []uint64{6}, there: true},
		"a gap":                     {records: []head{whole(1), delta(7, 4)}, chain: []uint64{1, 7}, damaged: true, there: true},
		"no base":                   {records: []head{delta(4, 1)}, chain: []uint64{0, 4}, damaged: true, there: true},
		"a delta after a removal":   {records: []head{removed(5), delta(7, 5)}, chain: []uint64{5, 7}, damaged: true, there: true},
		"the newest is lost":        {records: []head{whole(1)}, lost: 4, chain: []uint64{1}, damaged: true, there: true},
		"lost, but saved after":     {records: []head{whole(1), whole(5)}, lost: 4, chain: []uint64{5}, there: true},
		"lost, but moved before":    {records: []head{whole(5)}, lost: 5, chain: []uint64{5}, there: true},
		"all is lost":               {lost: 4, chain: []uint64{0}, damaged: true, there: true},
		"a removal lost its record": {records: []head{removed(5)}, lost: 7, chain: []uint64{5}, damaged: true, there: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := index{entries: map[key]*entry{}, segments: map[uint32]*segment{1: {number: 1}}}
			e := x.entry(key{})
			for i, h := range tc.records {
				x.learn(h, place{segment: 1, offset: uint32(i), size: 1})
			}
			lost := link{}
			if tc.lost > 0 {
				lost = link{seq: tc.lost, place: place{segment: 1}}
			}
			x.settle(key{}, e, lost)
			got := []uint64{e.seq}
			for _, l := range e.links() {
				got = append(got, l.seq)
			}
			if !slices.Equal(got, tc.chain) || e.there() != tc.there || (e.damaged != 0) != tc.damaged {
				t.Errorf("got %d, there %v, damaged %d", got, e.there(), e.damaged)
			}
			if int(e.records) != len(tc.records) {
				t.Errorf("%d records are counted of %d", e.records, len(tc.records))
			}
		})
	}
}
