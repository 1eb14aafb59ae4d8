package zone

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"secondaryd/internal/wire"
)

// Delta makes a version of a zone from the one before it and the changes of an
// incremental transfer (RFC 1995). The two share what did not change, so that
// time and memory follow the number of changes and not the size of the zone. A
// Delta belongs to one goroutine and must not be used after an error, and after
// Finish only for what it can tell: Changes and Faults. The version it began with
// stays as it is.
type Delta struct {
	grower
	base   *Zone
	limits Limits

	changes []change
	octets  []byte // the changes as change.go describes them
	owner   uint32 // node of the last change

	// touched lists the nodes that changes, or their consequences, reached;
	// ascending and each once after Finish.
	touched []uint32
	recount bool // some count of children lost track
	plain   int  // plain records more than in base
	deleted int  // deletions among the changes
}

// NewDelta begins a version that follows base.
func NewDelta(base *Zone, limits Limits) *Delta {
	return &Delta{
		grower: grower{zone: base.fork(), born: flagHidden, growth: 1, workspace: takeWorkspace()},
		base:   base,
		limits: limits,
		owner:  none,
	}
}

// fork returns a zone that shares everything with z.
func (z *Zone) fork() *Zone {
	return &Zone{
		apex:    z.apex,
		labels:  z.labels,
		soa:     z.soa,
		seed:    z.seed,
		records: z.records,
		dead:    z.dead,
		waste:   z.waste,
		slab:    z.slab.fork(z.extended.CompareAndSwap(false, true)),
		nodes:   nodes{z.nodes.fork()},
		index:   index{pages: z.index.fork(), size: z.index.size, used: z.index.used},
		chains:  z.chains,
		suspect: z.suspect,
	}
}

// Delete takes a record out of the zone. Its TTL is of no account; rdata must
// be uncompressed and is copied. That the record was there is checked by Finish,
// unless its owner is unknown.
func (d *Delta) Delete(owner wire.Name, t uint16, rdata []byte) error {
	if err := checkRecord(owner, t, rdata); err != nil {
		return err
	}
	i, deeper, err := d.nearest(owner)
	if err != nil {
		return err
	}
	if deeper > 0 {
		return fmt.Errorf("%s type %d: %w", owner, t, ErrMissing)
	}
	return d.note(i, deletion, t, 0, rdata)
}

// Add puts a record into the zone, which must not be there; Finish checks that.
// rdata must be uncompressed and is copied.
func (d *Delta) Add(owner wire.Name, t uint16, ttl uint32, rdata []byte) error {
	if err := checkRecord(owner, t, rdata); err != nil {
		return err
	}
	i, err := d.nodeOf(owner)
	if err != nil {
		return err
	}
	if t == wire.TypeSOA && i != 0 {
		return fmt.Errorf("%s: %w", owner, ErrForeignSOA)
	}
	if err := d.spell(i, owner); err != nil {
		return err
	}
	return d.note(i, addition, t, plainTTL(ttl), rdata)
}

// spell gives node i the case of owner, as the record that comes last has it.
func (d *Delta) spell(i uint32, owner wire.Name) error {
	old := d.zone.nodeName(i)
	if bytes.Equal(old, owner) {
		return nil
	}
	ref, err := d.zone.putName(owner)
	if err != nil {
		return err
	}
	d.zone.nodes.edit(i).name = ref
	d.zone.waste += 1 + len(old)
	d.owner = none
	return nil
}

// note writes a change of node i down.
func (d *Delta) note(i uint32, kind changeKind, t uint16, ttl uint32, rdata []byte) error {
	var owner wire.Name
	if i != d.owner {
		owner = d.zone.nodeName(i)
	}
	d.owner = i
	if kind == deletion {
		d.deleted++
	}
	d.changes = append(d.changes, change{node: i, at: uint32(len(d.octets) + changeHead + len(owner)), kind: kind})
	d.octets = appendChange(d.octets, kind, owner, t, ttl, rdata)
	return over(d.zone.Octets()+len(d.octets), cmp.Or(d.limits.Octets, maxOctets), LimitMemory)
}

// Changes returns the changes so far in the form that Replay takes. The caller
// must not change it.
func (d *Delta) Changes() []byte { return d.octets }

// Deletions counts the deletions so far.
func (d *Delta) Deletions() int { return d.deleted }

// Replay makes changes again that Changes returned, maybe long ago, and keeps
// nothing of them: octets that are none are ErrDamaged.
func (d *Delta) Replay(changes []byte) error {
	var owner wire.Name
	for len(changes) > 0 {
		kind, name, rest, ok := readOwner(changes, owner)
		if !ok {
			return fmt.Errorf("%w: change without an owner", ErrDamaged)
		}
		t, ttl, rdata, rest, ok := readBody(rest)
		if !ok {
			return fmt.Errorf("%w: change without an end", ErrDamaged)
		}
		if err := d.again(kind, name, t, ttl, rdata); err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		owner, changes = name, rest
	}
	return nil
}

var errChange = errors.New("unknown kind of change")

func (d *Delta) again(kind changeKind, owner wire.Name, t uint16, ttl uint32, rdata []byte) error {
	if err := wire.CheckRdata(t, rdata); err != nil {
		return err
	}
	switch kind {
	case deletion:
		return d.Delete(owner, t, rdata)
	case addition:
		return d.Add(owner, t, ttl, rdata)
	}
	return errChange
}

// Finish makes the new version. It fails with ErrMissing or ErrPresent if the
// changes do not fit the zone, and unless the apex then owns exactly one SOA.
func (d *Delta) Finish() (*Zone, error) {
	if err := d.apply(); err != nil {
		return nil, err
	}
	d.leave()
	z := d.zone
	if err := z.readSOA(); err != nil {
		return nil, err
	}
	if err := over(z.records, d.limits.Records, LimitRecords); err != nil {
		return nil, err
	}
	z.apex = z.nodeName(0)
	if n := d.base.plain.Load(); n > 0 {
		z.plain.Store(n + int64(d.plain))
	}
	d.consequences()
	z.nodes.seal()
	z.index.seal()
	if z.wasteful() {
		return z.rebuilt()
	}
	return z, over(z.Octets(), d.limits.Octets, LimitMemory)
}

// apply makes the changes, all of one node at a time, parents before their
// children.
func (d *Delta) apply() error {
	slices.SortStableFunc(d.changes, func(a, b change) int { return cmp.Compare(a.node, b.node) })
	for changes := range runs(d.changes, func(a, b change) bool { return a.node == b.node }) {
		i := changes[0].node
		if err := d.applyTo(i, changes); err != nil {
			return fmt.Errorf("%s: %w", d.zone.nodeName(i), err)
		}
	}
	return nil
}

// applyTo changes the records of node i.
func (d *Delta) applyTo(i uint32, changes []change) error {
	z, b := d.zone, &d.pending
	b.reset()
	for set := range (Node{z, i}).Sets() {
		b.addSet(set)
	}
	z.records -= len(b.records)
	d.plain -= Node{z, i}.plainRecords()
	z.waste += len(Node{z, i}.octets())
	for _, c := range changes {
		t, ttl, rdata, _, _ := readBody(d.octets[c.at:])
		b.addChange(c.kind, t, ttl, rdata)
	}
	if err := b.change(); err != nil {
		return err
	}
	z.records += len(b.records)
	n := z.nodes.edit(i)
	n.sets = 0
	if len(b.records) > 0 {
		var err error
		if n.sets, err = b.write(&z.slab, d.limits); err != nil {
			return err
		}
	}
	own := z.owned(i)
	d.plain += own.plain
	z.suspect = z.suspect || own.suspect
	n.flags = n.flags&^(flagCut|flagDNAME) | own.flags
	d.touched = append(d.touched, i)
	d.show(i, own.visible)
	return nil
}
