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
	next    []Entry    // not handed to a group yet
	groups  [][]object // in the order of the entries
}

// groupSize is how many values one goroutine reads.
const groupSize = 512

func newDecoding(c codec) *decoding {
	d := &decoding{codec: c}
	d.running.SetLimit(runtime.GOMAXPROCS(0))
	return d
}

// take copies an entry and has it decoded.
func (d *decoding) take(e Entry) error {
	e.Value = slices.Clone(e.Value)
	d.next = append(d.next, e)
	if len(d.next) == groupSize {
		d.start()
	}
	return nil
}

func (d *decoding) start() {
	entries, objects := d.next, make([]object, len(d.next))
	d.next, d.groups = make([]Entry, 0, groupSize), append(d.groups, objects)
	d.running.Go(func() error { return d.codec.decodeAll(objects, entries) })
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
