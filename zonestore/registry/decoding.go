package registry

import (
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// decoding reads stored values in lots, several at the same time while more
// come: it takes most of the time in which a large configuration is loaded.
// finish must be called.
type decoding struct {
	codec   codec
	running errgroup.Group
	next    lot        // not handed to a goroutine yet
	spare   chan lot   // those that were read
	read    [][]object // in the order of the entries
}

// lot is values that one goroutine reads.
type lot struct {
	entries []Entry
	octets  []byte // of the values
}

// One goroutine reads up to so many values, of that many octets in all unless one
// value alone has more.
const (
	lotSize   = 512
	lotOctets = 128 << 10
)

func newDecoding(c codec) *decoding {
	atOnce := runtime.GOMAXPROCS(0)
	d := &decoding{codec: c, spare: make(chan lot, atOnce)}
	d.next = d.room(0)
	d.running.SetLimit(atOnce)
	return d
}

// take copies an entry and has it decoded.
func (d *decoding) take(e Entry) error {
	if len(d.next.entries) == lotSize || len(d.next.octets)+len(e.Value) > cap(d.next.octets) {
		d.start()
		d.next = d.room(len(e.Value))
	}
	l := &d.next
	from := len(l.octets)
	l.octets = append(l.octets, e.Value...)
	e.Value = l.octets[from:]
	l.entries = append(l.entries, e)
	return nil
}

// room returns an empty lot, for a first value of that many octets.
func (d *decoding) room(first int) lot {
	select {
	case spare := <-d.spare:
		if cap(spare.octets) >= first {
			return lot{spare.entries[:0], spare.octets[:0]}
		}
	default:
	}
	return lot{make([]Entry, 0, lotSize), make([]byte, 0, max(lotOctets, first))}
}

func (d *decoding) start() {
	l, objects := d.next, make([]object, len(d.next.entries))
	d.read = append(d.read, objects)
	d.running.Go(func() error {
		err := d.codec.decodeAll(objects, l.entries)
		select {
		case d.spare <- l:
		default:
		}
		return err
	})
}

func (c codec) decodeAll(objects []object, entries []Entry) (err error) {
	for i, e := range entries {
		if objects[i], err = c.decode(e); err != nil {
			return err
		}
	}
	return nil
}

// finish returns all objects, in the order in which they came.
func (d *decoding) finish() ([]object, error) {
	d.start()
	err := d.running.Wait()
	return slices.Concat(d.read...), err
}
