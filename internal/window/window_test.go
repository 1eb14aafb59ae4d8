package window

import (
	"bytes"
	"errors"
	"testing"
)

// TestAt reads forwards, backwards, and more at once than the buffer takes.
func TestAt(t *testing.T) {
	t.Parallel()
	data := make([]byte, 3*least+17)
	for i := range data {
		data[i] = byte(i * i >> 3)
	}
	w := New(bytes.NewReader(data), int64(len(data)))
	for _, at := range []struct{ off, n int64 }{
		{0, 1}, {least - 1, 2}, {5, 7}, {1, 2*least + 3}, {int64(len(data)) - 1, 1}, {int64(len(data)), 0},
	} {
		got, err := w.At(at.off, at.n)
		if err != nil || !bytes.Equal(got, data[at.off:at.off+at.n]) {
			t.Errorf("%+v: %d octets, %v", at, len(got), err)
		}
	}
	if _, err := w.At(int64(len(data))-1, 2); !errors.Is(err, ErrEnd) {
		t.Error(err)
	}
	if _, err := New(bytes.NewReader(data), int64(len(data))+9).At(int64(len(data)), 9); err == nil {
		t.Error("read more than the file has")
	}
}

// TestFind has the mark where two reads meet, which is found all the same.
func TestFind(t *testing.T) {
	t.Parallel()
	mark := []byte("MARK")
	for _, at := range []int{0, 1, least - 4, least - 2, least, 2*least + 5} {
		data := make([]byte, 3*least)
		copy(data[at:], mark)
		w := New(bytes.NewReader(data), int64(len(data)))
		if got := w.Find(0, mark); got != int64(at) {
			t.Errorf("mark at %d: found at %d", at, got)
		}
		if got := w.Find(int64(at)+1, mark); got != int64(len(data)) {
			t.Errorf("mark at %d: found again at %d", at, got)
		}
	}
}
