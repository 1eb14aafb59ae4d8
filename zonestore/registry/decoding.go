package registry

import (
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
)

// decoding reads stored values in groups, several at the same time while more
// come: it takes most of the time in which a large configuration is loaded.
// finish must be called.
type decoding struct {
	codec   codec
	running errgroup.Group
	next    []Entry     // not handed to a group yet
	octets  []byte      // of the values in next
	spare   chan []byte // octets of groups that were read
	groups  [][]object  // in the order of the entries
}

// One goroutine reads up to so many values, of that many octets in all unless one
// value alone has more.
const (
	groupSize   = 512
	groupOctets = 128 << 10
)

func newDecoding(c codec) *decoding {
	atOnce := runtime.GOMAXPROCS(0)
	d := &decoding{codec: c, spare: make(chan []byte, atOnce)}
	d.octets = d.room(0)
	d.running.SetLimit(atOnce)
	return d
}

// take copies an entry and has it decoded.
func (d *decoding) take(e Entry) error {
	if len(d.next) == groupSize || len(d.octets)+len(e.Value) > cap(d.octets) {
		d.start()
		d.octets = d.room(len(e.Value))
	}
	from := len(d.octets)
	d.octets = append(d.octets, e.Value...)
	e.Value = d.octets[from:]
	d.next = append(d.next, e)
	return nil
}

// room returns memory for a group, in which the first value has that many octets.
func (d *decoding) room(first int) []byte {
	select {
	case spare := <-d.spare:
		if cap(spare) >= first {
			return spare[:0]
		}
	default:
	}
	return make([]byte, 0, max(groupOctets, first))
}

func (d *decoding) start() {
	entries, octets, objects := d.next, d.octets, make([]object, len(d.next))
	d.next, d.groups = make([]Entry, 0, groupSize), append(d.groups, objects)
	d.running.Go(func() error {
		err := d.codec.decodeAll(objects, entries)
		select {
		case d.spare <- octets:
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
	return slices.Concat(d.groups...), err
}
