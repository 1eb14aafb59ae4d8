package zone

import "slices"

// pages is an array in pieces, of which versions of a zone share those that are
// alike. While a version is made of another, shared tells which pages still
// belong to both and must be copied before they change; otherwise it is nil. It is a
// pointer because there are many small zones.
type pages[T any] struct {
	all    [][]T
	shared *[]bool
}

// paged lays pages of size elements over all.
func paged[T any](all []T, size int) pages[T] {
	p := pages[T]{all: make([][]T, 0, (len(all)+size-1)/size)}
	for page := range slices.Chunk(all, size) {
		p.all = append(p.all, page)
	}
	return p
}

// fork returns an array that shares every page with p.
func (p *pages[T]) fork() pages[T] {
	shared := make([]bool, len(p.all))
	for i := range shared {
		shared[i] = true
	}
	return pages[T]{all: slices.Clone(p.all), shared: &shared}
}

// own returns page i, which the caller may change from now on.
func (p *pages[T]) own(i int) []T {
	if p.shared != nil && i < len(*p.shared) && (*p.shared)[i] {
		p.all[i] = slices.Clone(p.all[i])
		(*p.shared)[i] = false
	}
	return p.all[i]
}

// push appends x behind pages that have size elements each, but for the last. It keeps
// a small array small: only its successors get whole pages at once.
func (p *pages[T]) push(x T, size int) {
	last := len(p.all) - 1
	if last < 0 || len(p.all[last]) == size {
		room := size
		if last < 0 {
			room = 8
		}
		p.all = append(p.all, make([]T, 0, room))
		last++
	}
	p.own(last)
	p.all[last] = append(p.all[last], x) // to itself, so that its length alone is written
}

// seal ends the making of a version: nothing may change any more.
func (p *pages[T]) seal() { p.shared = nil }
