package zone

import (
	"errors"
	"fmt"
	"sync"

	"secondaryd/internal/wire"
)

// Limits bound what a Builder accepts, so that a primary can't exhaust memory.
// Zero means no limit.
type Limits struct {
	Records      int // in the zone
	RRsetRecords int // in one RRset
	Types        int // at one name
	Octets       int // of memory, old pieces included
}

// What a zone can have more of than it may.
const (
	LimitRecords = "records"
	LimitRRset   = "records in an RRset"
	LimitTypes   = "types at a name"
	LimitMemory  = "octets of memory"
)

// LimitError tells which limit a zone exceeds.
type LimitError struct {
	What  string
	Limit int
}

func (e *LimitError) Error() string { return fmt.Sprintf("more than %d %s", e.Limit, e.What) }

// What makes a set of records no zone.
var (
	ErrNoSOA      = errors.New("zone has no SOA at its apex")
	ErrManySOA    = errors.New("zone has more than one SOA at its apex")
	ErrForeignSOA = errors.New("SOA record at a name that is not the apex")
	ErrOutOfZone  = errors.New("record outside the zone")
	ErrMetaType   = errors.New("record of a type that is no zone data")
)

// Builder makes a Zone from records in any order. Duplicates are dropped,
// RRsets with differing TTLs get the lowest (RFC 2181 section 5.2). It must not
// be used after Finish or after an error.
type Builder struct {
	grower
	ascent
	limits  Limits
	records int   // that came
	all     tally // of the nodes written so far

	// Pending are the records of the name seen last, node current: primaries send
	// the records of a name together, so most names are written once.
	current uint32
	look    int  // how many of them there may be before they are looked at
	split   bool // some names come in pieces
}

// NewBuilder begins a zone. The seed is the one that queries' suffixes are
// computed with; see wire.Suffixes.
func NewBuilder(apex wire.Name, seed uint64, limits Limits) (*Builder, error) {
	b := &Builder{limits: limits}
	b.workspace = takeWorkspace()
	b.growth = 6 // it is laid out anew when all is there
	b.zone = &Zone{
		apex:   append(wire.Name(nil), apex...),
		labels: uint8(apex.Labels()),
		seed:   seed,
		chains: &noChains,
	}
	hash := wire.HashName(wire.AppendFolded(b.folded[:0], apex), seed)
	if _, err := b.addNode(apex, hash, none); err != nil {
		return nil, err
	}
	b.labels, b.hashes[b.zone.labels] = int(b.zone.labels), hash
	return b, nil
}

// Add takes one record; rdata must be uncompressed and is copied.
func (b *Builder) Add(owner wire.Name, t uint16, ttl uint32, rdata []byte) error {
	if err := checkRecord(owner, t, rdata); err != nil {
		return err
	}
	if err := b.move(owner); err != nil {
		return err
	}
	if t == wire.TypeSOA && b.current != 0 {
		return fmt.Errorf("%s: %w", owner, ErrForeignSOA)
	}
	b.records++
	if err := over(b.records, b.limits.Records, LimitRecords); err != nil {
		return err
	}
	b.pending.add(t, plainTTL(ttl), rdata)
	if len(b.pending.records) > max(b.look, firstLook) {
		if err := b.lookAtPending(); err != nil {
			return b.at(b.current, err)
		}
	}
	if len(b.pending.data) < firstLookData {
		return nil // the next name tells
	}
	return b.memory()
}

// What is more than a name has, as a rule, of records and of octets in them.
const (
	firstLook     = 4096
	firstLookData = 64 << 10
)

// lookAtPending holds the records of a name that does not end against the
// limits and drops the duplicates, before they take memory. It looks again when
// they have doubled, so that it costs n log n.
func (b *Builder) lookAtPending() error {
	b.pending.tidy()
	b.pending.pack()
	b.look = 2 * len(b.pending.records)
	_, err := b.pending.measure(b.limits)
	return err
}

func (b *Builder) memory() error {
	return over(b.Octets(), b.limits.Octets, LimitMemory)
}

func over(n, limit int, what string) error {
	if limit > 0 && n > limit {
		return &LimitError{what, limit}
	}
	return nil
}

// Octets returns how much memory the zone takes so far.
func (b *Builder) Octets() int {
	return b.zone.Octets() + len(b.pending.data) + 4*cap(b.wildcards)
}

// move makes owner the current name and writes out the one before it.
func (b *Builder) move(owner wire.Name) error {
	if b.zone.nodeName(b.current).Equal(owner) {
		return nil
	}
	if err := b.flush(); err != nil {
		return err
	}
	i, err := b.reach(owner)
	if err != nil {
		return err
	}
	b.current = i
	return b.memory()
}

// Finish makes the zone. It fails unless the apex owns exactly one SOA.
func (b *Builder) Finish() (*Zone, error) {
	if err := b.flush(); err != nil {
		return nil, err
	}
	if err := b.joinSplit(); err != nil {
		return nil, err
	}
	z := b.zone
	if err := z.readSOA(); err != nil {
		return nil, err
	}
	b.layOut()
	if err := b.compact(); err != nil {
		return nil, err
	}
	z.apex = z.nodeName(0)
	z.chain()
	if err := b.memory(); err != nil {
		return nil, err
	}
	b.leave()
	return z, nil
}

// layOut gives nodes and index the form in which they are served. Those of a large
// zone share nothing but their numbers, and get it at the same time.
func (b *Builder) layOut() {
	z := b.zone
	var index sync.WaitGroup
	if z.nodes.len() > nodesAtOnce {
		index.Go(func() { z.index.rebuild(z.index.used) })
	} else {
		z.index.rebuild(z.index.used)
	}
	switch {
	case b.split:
		z.resettle() // what was noted of a name in pieces need not be true of the whole
	case b.unordered:
		z.settle(b.all, b.wildcards)
		z.settleDownward()
	default:
		z.settle(b.all, b.wildcards)
	}
	z.nodes.trim()
	index.Wait()
}

// readSOA takes the numbers of the zone's one SOA.
func (z *Zone) readSOA() error {
	set, ok := z.Top().Set(wire.TypeSOA)
	if !ok {
		return ErrNoSOA
	}
	if set.Len() != 1 {
		return ErrManySOA
	}
	rdata, _ := set.Record(0)
	soa, err := ParseSOA(rdata)
	if err != nil {
		return fmt.Errorf("SOA: %w", err)
	}
	z.soa = soa
	return nil
}
