package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/miekg/dns"
)

func TestAppendName(t *testing.T) {
	t.Parallel()
	msg := []byte("\x07example\x03org\x00" + // 0
		"\x03www\xC0\x00" + // 13
		"\x01x\xC0\x0D" + // 19
		"\xC0\x13" + // 23: a pointer to a name that ends in a pointer
		"\xC0\x0C") // 25: a pointer to the root label
	for _, tc := range []struct {
		off, next int
		want      string
	}{
		{0, 13, "example.org."},
		{8, 13, "org."},
		{12, 13, "."},
		{13, 19, "www.example.org."},
		{19, 23, "x.www.example.org."},
		{23, 25, "x.www.example.org."},
		{25, 27, "."},
	} {
		dst, next, err := AppendName([]byte("before"), msg, tc.off)
		if err != nil || string(dst[:6]) != "before" {
			t.Errorf("at %d: got %q, %v", tc.off, dst, err)
			continue
		}
		if got := Name(dst[6:]); got.String() != tc.want || next != tc.next {
			t.Errorf("at %d: got %s, next %d; want %s, next %d", tc.off, got, next, tc.want, tc.next)
		}
		if next, err := SkipName(msg, tc.off); err != nil || next != tc.next {
			t.Errorf("skip at %d: got %d, %v; want %d", tc.off, next, err, tc.next)
		}
	}
}

func TestAppendNameErrors(t *testing.T) {
	t.Parallel()
	long, longer := mustName(t, labels63(3, 60)), mustName(t, labels63(3, 61)) // 254 and 255 octets
	for name, tc := range map[string]struct {
		msg  string
		off  int
		want error
	}{
		"nothing":                     {"", 0, ErrShort},
		"offset behind the end":       {"\x00", 5, ErrShort},
		"no root label":               {"\x01a", 0, ErrShort},
		"label cut off":               {"\x05abc", 0, ErrShort},
		"label cut off by one octet":  {"\x03ab", 0, ErrShort},
		"half a pointer":              {"\x00\x01a\xC0", 1, ErrShort},
		"pointer to itself":           {"\xC0\x00", 0, ErrPointer},
		"pointer to its own name":     {"\x01a\xC0\x00", 0, ErrPointer},
		"pointer into its own name":   {"\x01a\x01b\xC0\x02", 0, ErrPointer},
		"pointer forwards":            {"\xC0\x02\x01a\x00", 0, ErrPointer},
		"pointer behind the message":  {"\xFF\xFF", 0, ErrPointer},
		"two pointers in a circle":    {"\xC0\x02\xC0\x00", 2, ErrPointer},
		"circle by way of a label":    {"\x01a\xC0\x04\x01b\xC0\x00", 4, ErrPointer},
		"forwards behind a pointer":   {"\xC0\x02\x00\xC0\x00", 3, ErrPointer},
		"reserved label kind 01":      {"\x41a\x00", 0, ErrLabel},
		"reserved label kind 10":      {"\x81a\x00", 0, ErrLabel},
		"reserved kind behind labels": {"\x01a\x40\x00", 0, ErrLabel},
		"reserved kind by pointer":    {"\x80\x00\xC0\x00", 2, ErrLabel},
		"256 octets":                  {labelsWire(3, 62), 0, ErrNameLong},
		"256 octets by pointer":       {string(long) + "\x01a\xC0\x00", len(long), ErrNameLong},
		"257 octets by pointer":       {string(longer) + "\x01a\xC0\x00", len(longer), ErrNameLong},
		"128 labels":                  {string(bytes.Repeat([]byte("\x01a"), 128)) + "\x00", 0, ErrNameLong},
	} {
		dst := []byte("kept")
		got, _, err := AppendName(dst, []byte(tc.msg), tc.off)
		if !errors.Is(err, tc.want) {
			t.Errorf("%s: got %q, %v; want %v", name, got, err, tc.want)
		}
	}
}

// labelsWire is labels63 in wire form, of any length.
func labelsWire(count, rest int) string {
	var b []byte
	for range count {
		b = append(append(b, MaxLabel), bytes.Repeat([]byte("a"), MaxLabel)...)
	}
	return string(append(append(append(b, byte(rest)), bytes.Repeat([]byte("b"), rest)...), 0))
}

func TestSkipNameErrors(t *testing.T) {
	t.Parallel()
	for msg, want := range map[string]error{
		"":             ErrShort,
		"\x01a":        ErrShort,
		"\x05a":        ErrShort,
		"\xC0":         ErrShort,
		"\x01a\xC0":    ErrShort,
		"\x41a\x00":    ErrLabel,
		"\x01a\x80":    ErrLabel,
		"\x3Faaaaaaaa": ErrShort,
	} {
		if next, err := SkipName([]byte(msg), 0); !errors.Is(err, want) {
			t.Errorf("skip %q: got %d, %v; want %v", msg, next, err, want)
		}
	}
}

// pointerChain is a message of n pointers, each to the one before it, and a root
// label for the first to point to. It returns where the last one lies.
func pointerChain(n int) (msg []byte, last int) {
	msg = []byte{0}
	for i := range n {
		last = len(msg)
		msg = binary.BigEndian.AppendUint16(msg, 0xC000|uint16(max(0, 2*i-1)))
	}
	return msg, last
}

// TestPointerChain: the work for one name is bounded, or a message of 64 KiB
// could ask for tens of millions of steps.
func TestPointerChain(t *testing.T) {
	t.Parallel()
	msg, last := pointerChain(MaxLabels)
	if name, _, err := AppendName(nil, msg, last); err != nil || string(name) != "\x00" {
		t.Errorf("%d pointers: got %q, %v; want the root", MaxLabels, name, err)
	}
	msg, last = pointerChain(MaxLabels + 1)
	if name, _, err := AppendName(nil, msg, last); !errors.Is(err, ErrPointer) {
		t.Errorf("%d pointers: got %q, %v; want %v", MaxLabels+1, name, err, ErrPointer)
	}
	// A name of the most labels, each in a place of its own, has as many pointers.
	msg = []byte{0}
	target, at := 0, 0
	for range MaxLabels {
		at = len(msg)
		msg = binary.BigEndian.AppendUint16(append(msg, 1, 'a'), 0xC000|uint16(target))
		target = at
	}
	if name, next, err := AppendName(nil, msg, at); err != nil || len(name) != MaxName || next != len(msg) {
		t.Errorf("127 labels by pointer: got %d octets, next %d, %v", len(name), next, err)
	}
}

func FuzzAppendName(f *testing.F) {
	f.Add([]byte("\x07example\x03org\x00\x03www\xC0\x00"), uint16(13))
	f.Add([]byte("\xC0\x02\xC0\x00"), uint16(2))
	f.Add([]byte(labelsWire(3, 62)), uint16(0))
	chain, last := pointerChain(40)
	f.Add(chain, uint16(last))
	f.Fuzz(func(t *testing.T, msg []byte, at uint16) {
		off := int(at)
		got, next, err := AppendName([]byte("kept"), msg, off)
		if string(got[:4]) != "kept" {
			t.Fatalf("what lay before the name is now %q", got[:4])
		}
		text, libraryNext, libraryErr := dns.UnpackDomainName(msg, off)
		if err != nil {
			if libraryErr == nil && len(msg) <= 1<<14 && !pointsForwards(msg, off) {
				t.Fatalf("refused what is the name %s: %v", text, err)
			}
			return
		}
		name := Name(got[4:])
		if next <= off || next > len(msg) || len(name) > MaxName || name[len(name)-1] != 0 {
			t.Fatalf("name %q of %d octets, next %d of %d", string(name), len(name), next, len(msg))
		}
		if skipped, err := SkipName(msg, off); err != nil || skipped != next {
			t.Fatalf("skip: got %d, %v; want %d", skipped, err, next)
		}
		again, end, err := AppendName(nil, name, 0)
		if err != nil || end != len(name) || !bytes.Equal(again, name) {
			t.Fatalf("read again: %q, %d, %v", again, end, err)
		}
		if libraryErr == nil && (!mustName(t, text).Equal(name) || libraryNext != next) {
			t.Fatalf("got %s, next %d; the library has %s, next %d", name, next, text, libraryNext)
		}
	})
}

// pointsForwards reports whether following the name at off meets a pointer that
// does not point to before the labels it ends, which the library lets pass, or
// more pointers than we follow.
func pointsForwards(msg []byte, off int) bool {
	limit := off
	for range MaxLabels + 1 {
		for off < len(msg) && msg[off]&pointerBits == 0 {
			if msg[off] == 0 {
				return false
			}
			off += 1 + int(msg[off])
		}
		if off+2 > len(msg) {
			return false
		}
		off = int(binary.BigEndian.Uint16(msg[off:]) & 0x3FFF)
		if off >= limit {
			return true
		}
		limit = off
	}
	return true
}

func FuzzParseName(f *testing.F) {
	for _, text := range []string{".", "a", `\000.\255`, `a\.b.`, "..", `\2`, labels63(3, 61), labels63(3, 62)} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := ParseName(text)
		if err != nil {
			return
		}
		if _, next, err := AppendName(nil, n, 0); err != nil || next != len(n) {
			t.Fatalf("parse %q: got %q, which reads back with next %d, %v", text, string(n), next, err)
		}
		out := n.String()
		again, err := ParseName(out)
		if err != nil || !bytes.Equal(again, n) || again.String() != out {
			t.Fatalf("parse %q: %s is read as %q, %v", text, out, string(again), err)
		}
		if i := slices.IndexFunc([]byte(out), func(c byte) bool { return c <= ' ' || c > '~' }); i >= 0 {
			t.Fatalf("parse %q: the text %q has the octet %d", text, out, out[i])
		}
		packed := make([]byte, 2*MaxName)
		end, err := dns.PackDomainName(out, packed, 0, nil, false)
		if err != nil || !bytes.Equal(packed[:end], n) {
			t.Fatalf("parse %q: got %q, the library %q, %v", text, string(n), packed[:end], err)
		}
		if n.Compare(n.Fold()) != 0 || !n.Equal(n.Fold()) || !n.In(n.Parent()) || n.Labels() > MaxLabels {
			t.Fatalf("parse %q: %s does not agree with itself", text, n)
		}
	})
}

func BenchmarkAppendName(b *testing.B) {
	msg := []byte("\x07example\x03org\x00\x03www\xC0\x00")
	var room [MaxName]byte
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := AppendName(room[:0], msg, 13); err != nil {
			b.Fatal(err)
		}
	}
}
