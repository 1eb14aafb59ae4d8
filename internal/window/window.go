// Package window reads a file of records forward through a buffer, and finds the
// next record behind what is none. Memory and work are bounded by the size that
// it is told, whatever lengths the file claims.
package window

import (
	"bytes"
	"errors"
	"io"
)

// ErrEnd tells of octets beyond the end.
var ErrEnd = errors.New("end of the file")

const least = 256 << 10 // octets that are read at once

// Window is a part of a file in memory. It is for one goroutine.
type Window struct {
	file io.ReaderAt
	size int64
	off  int64 // where buf lies in the file
	buf  []byte
}

// New reads file up to size, which it has at least.
func New(file io.ReaderAt, size int64) *Window { return &Window{file: file, size: size} }

// At returns n octets from off on, valid until the next call.
func (w *Window) At(off, n int64) ([]byte, error) {
	if n > w.size-off {
		return nil, ErrEnd
	}
	if off < w.off || off+n > w.off+int64(len(w.buf)) {
		if err := w.fill(off, min(max(n, least), w.size-off)); err != nil {
			return nil, err
		}
	}
	return w.buf[off-w.off:][:n:n], nil
}

func (w *Window) fill(off, n int64) error {
	if int64(cap(w.buf)) < n {
		w.buf = make([]byte, n)
	}
	w.off, w.buf = off, w.buf[:n]
	if n, err := w.file.ReadAt(w.buf, off); n < len(w.buf) {
		w.buf = w.buf[:0]
		return err
	}
	return nil
}

// Find returns where the next mark lies at or behind off, or the size.
func (w *Window) Find(off int64, mark []byte) int64 {
	for {
		if _, err := w.At(off, int64(len(mark))); err != nil {
			return w.size
		}
		ahead := w.buf[off-w.off:]
		if i := bytes.Index(ahead, mark); i >= 0 {
			return off + int64(i)
		}
		off += int64(len(ahead) - len(mark) + 1)
	}
}
