package registry

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
)

// stored is a backend that holds what it was made with.
type stored []Entry

func (s stored) Load(yield func(Entry) error) (uint64, error) {
	var reused []byte // the memory of a value is yield's only during the call
	for _, e := range s {
		reused = append(reused[:0], e.Value...)
		if err := yield(Entry{e.Kind, e.ID, reused}); err != nil {
			return 0, err
		}
	}
	return uint64(len(s)), nil
}

func (stored) Commit(context.Context, Batch) error { return errors.ErrUnsupported }
func (stored) Close() error                        { return nil }

func storedKeys(c codec, n int) stored {
	var s stored
	for i := range n {
		k := key1()
		k.ID, k.Name = fmt.Sprintf("k%d", i), fmt.Sprintf("name-%d.", i)
		s = append(s, Entry{KindTSIG, k.ID, c.encode(&k)})
	}
	return s
}

// TestLoadGroups loads less than a group, whole groups, and more.
func TestLoadGroups(t *testing.T) {
	t.Parallel()
	c := testCodec(t)
	for _, n := range []int{0, 1, lotSize - 1, lotSize, lotSize + 1, 5*lotSize + 7} {
		r, err := load(storedKeys(c, n), Options{Dir: "data"}, c)
		if err != nil {
			t.Fatalf("%d objects: %v", n, err)
		}
		if len(r.state.objects) != n || r.state.revision != uint64(n) {
			t.Errorf("%d objects: got %d, revision %d", n, len(r.state.objects), r.state.revision)
		}
		for i := range n {
			if k, ok := r.state.objects[key{KindTSIG, fmt.Sprintf("k%d", i)}].(*TSIG); !ok || k.Name != fmt.Sprintf("name-%d.", i) {
				t.Fatalf("%d objects: k%d is %+v", n, i, k)
			}
		}
	}
}

// TestLoadUnreadable: a value that is no object, under a right checksum, is found
// wherever it lies, and named.
func TestLoadUnreadable(t *testing.T) {
	t.Parallel()
	const n = 2*lotSize + 3
	c := testCodec(t)
	for _, at := range []int{0, lotSize - 1, lotSize, n - 1} {
		s := storedKeys(c, n)
		e := &s[at]
		e.Value[valueHeader] = '!'
		binary.BigEndian.PutUint32(e.Value[1:], checksum(e.Kind, e.ID, e.Value))
		_, err := load(s, Options{Dir: "data"}, c)
		if damage, ok := errors.AsType[*DamageError](err); !ok || damage.ID != e.ID || damage.Kind != KindTSIG {
			t.Errorf("object %d: got %v", at, err)
		}
	}
}
