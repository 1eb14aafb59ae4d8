package registry

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
)

// The parts of bbolt's file format that the check needs: pages of a fixed size,
// two meta pages, of which the valid one with the higher transaction counts,
// and a B+tree of branch and leaf pages. Numbers are in the machine's order.
const (
	boltMagic      = 0xED0CDAED
	boltVersion    = 2
	boltBranch     = 0x01
	boltLeaf       = 0x02
	boltSubBucket  = 0x01 // flag of a leaf element that holds a bucket
	boltPageHeader = 16
	boltElement    = 16
	boltMetaSize   = 56 // without its checksum
	boltMaxDepth   = 64
	boltMaxPage    = 64 << 20 // octets of a page with its overflow; the largest object has 64 KiB
)

var order = binary.NativeEndian

// boltMeta is what a meta page says.
type boltMeta struct {
	root  uint64 // page of the root bucket
	pages uint64 // pages in use and below
	tx    uint64
}

// boltCheck walks a bbolt file without bbolt.
type boltCheck struct {
	file  io.ReaderAt
	pages uint64
	seen  []uint64 // a bit for each page
	spare [][]byte // buffers of one page that are not in use
}

// checkBolt reports a *DamageError unless every page that bbolt would follow
// lies in the file, is reached once and holds what it claims, with keys in
// order. What the values say is checked by load.
func checkBolt(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	meta, err := readBoltMeta(file)
	if err == nil && meta.pages > uint64(info.Size())/boltPageSize {
		err = errors.New("the file is shorter than it says")
	}
	if err == nil {
		c := &boltCheck{file: file, pages: meta.pages, seen: make([]uint64, meta.pages/64+1)}
		err = c.page(meta.root, bounds{}, 0)
	}
	if err != nil {
		return &DamageError{Path: path, Detail: err.Error()}
	}
	return nil
}

// readBoltMeta returns the newest valid meta page.
func readBoltMeta(file io.ReaderAt) (best boltMeta, err error) {
	found := false
	for i := range int64(2) {
		page := make([]byte, boltPageHeader+boltMetaSize+8)
		if _, err := file.ReadAt(page, i*boltPageSize); err != nil {
			continue
		}
		if m, ok := parseBoltMeta(page[boltPageHeader:]); ok && (!found || m.tx > best.tx) {
			best, found = m, true
		}
	}
	if !found {
		return boltMeta{}, errors.New("neither of its meta pages is whole")
	}
	return best, nil
}

func parseBoltMeta(b []byte) (boltMeta, bool) {
	hash := fnv.New64a()
	_, _ = hash.Write(b[:boltMetaSize])
	if order.Uint32(b) != boltMagic || order.Uint32(b[4:]) != boltVersion ||
		order.Uint32(b[8:]) != boltPageSize || order.Uint64(b[boltMetaSize:]) != hash.Sum64() {
		return boltMeta{}, false
	}
	return boltMeta{root: order.Uint64(b[16:]), pages: order.Uint64(b[40:]), tx: order.Uint64(b[48:])}, true
}

// bounds limit the keys below a branch: not before low, before high; nil is
// no limit.
type bounds struct{ low, high []byte }

func (b bounds) allow(key []byte) bool {
	return bytes.Compare(key, b.low) >= 0 && (b.high == nil || bytes.Compare(key, b.high) < 0)
}

// page checks a page and everything below it.
func (c *boltCheck) page(id uint64, within bounds, depth int) error {
	if depth > boltMaxDepth {
		return errors.New("the tree has no end")
	}
	page, err := c.read(id)
	if err != nil {
		return err
	}
	if err := c.content(page, within, depth); err != nil {
		return fmt.Errorf("page %d: %w", id, err)
	}
	if len(page) == boltPageSize {
		c.spare = append(c.spare, page)
	}
	return nil
}

// read gives a page with its overflow pages.
func (c *boltCheck) read(id uint64) ([]byte, error) {
	if id < 2 || id >= c.pages {
		return nil, fmt.Errorf("page %d does not exist", id)
	}
	page := c.buffer()
	if _, err := c.file.ReadAt(page, int64(id)*boltPageSize); err != nil {
		return nil, err
	}
	overflow := uint64(order.Uint32(page[12:]))
	if order.Uint64(page) != id || overflow >= c.pages-id || overflow > boltMaxPage/boltPageSize {
		return nil, fmt.Errorf("page %d has a wrong header", id)
	}
	for i := id; i <= id+overflow; i++ {
		if c.seen[i/64]&(1<<(i%64)) != 0 {
			return nil, fmt.Errorf("page %d is used twice", i)
		}
		c.seen[i/64] |= 1 << (i % 64)
	}
	if overflow == 0 {
		return page, nil
	}
	page = append(page, make([]byte, overflow*boltPageSize)...)
	_, err := c.file.ReadAt(page[boltPageSize:], int64(id+1)*boltPageSize)
	return page, err
}

// buffer returns memory for a page, which keys may refer to until it is checked.
func (c *boltCheck) buffer() []byte {
	last := len(c.spare) - 1
	if last < 0 {
		return make([]byte, boltPageSize)
	}
	b := c.spare[last]
	c.spare = c.spare[:last]
	return b
}

// content checks the elements of a page, which may be one inside a value.
func (c *boltCheck) content(page []byte, within bounds, depth int) error {
	if len(page) < boltPageHeader {
		return errors.New("bucket is cut off")
	}
	kind, count := order.Uint16(page[8:]), int(order.Uint16(page[10:]))
	if kind != boltBranch && kind != boltLeaf || kind == boltBranch && count == 0 {
		return errors.New("neither branch nor leaf")
	}
	if boltPageHeader+count*boltElement > len(page) {
		return errors.New("more elements than fit")
	}
	keys := make([][]byte, count)
	for i := range count {
		key, err := elementKey(page, kind, i)
		if err != nil {
			return err
		}
		if !within.allow(key) || i > 0 && bytes.Compare(keys[i-1], key) >= 0 {
			return errors.New("keys are out of order")
		}
		keys[i] = key
	}
	for i, key := range keys {
		below := bounds{low: key, high: within.high}
		if i+1 < count {
			below.high = keys[i+1]
		}
		if err := c.element(page, kind, i, below, depth); err != nil {
			return err
		}
	}
	return nil
}

// elementKey returns the key of element i, whose value ends inside the page.
func elementKey(page []byte, kind uint16, i int) ([]byte, error) {
	at := boltPageHeader + i*boltElement
	element := page[at:]
	position, keySize, valueSize := uint64(order.Uint32(element)), uint64(order.Uint32(element[4:])), uint64(0)
	if kind == boltLeaf {
		position, keySize, valueSize = keySize, uint64(order.Uint32(element[8:])), uint64(order.Uint32(element[12:]))
	}
	start := uint64(at) + position
	if start+keySize+valueSize > uint64(len(page)) {
		return nil, errors.New("an element ends outside")
	}
	return page[start : start+keySize], nil
}

// element checks what element i leads to: a child page or a bucket's tree.
func (c *boltCheck) element(page []byte, kind uint16, i int, below bounds, depth int) error {
	at := boltPageHeader + i*boltElement
	element := page[at:]
	if kind == boltBranch {
		return c.page(order.Uint64(element[8:]), below, depth+1)
	}
	if order.Uint32(element)&boltSubBucket == 0 {
		return nil
	}
	start := at + int(order.Uint32(element[4:])) + int(order.Uint32(element[8:]))
	value := page[start : start+int(order.Uint32(element[12:]))]
	if len(value) < 16 {
		return errors.New("bucket is cut off")
	}
	if root := order.Uint64(value); root != 0 {
		return c.page(root, bounds{}, depth+1)
	}
	if depth > boltMaxDepth {
		return errors.New("buckets have no end")
	}
	return c.content(value[16:], bounds{}, depth+1)
}
