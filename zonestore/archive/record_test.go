package archive

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRecord(t *testing.T) {
	t.Parallel()
	m := mark{1, 2, 3, 4, 5, 6, 7, 8}
	for name, tc := range map[string]struct {
		head    head
		payload string
	}{
		"copy":    {head{kind: kindCopy, key: keyOf("a"), seq: 1, received: received.UnixMicro(), serial: 5}, "compiled"},
		"delta":   {head{kind: kindDelta, key: keyOf("b"), seq: math.MaxUint64, prev: math.MaxUint64 - 1, serial: math.MaxUint32}, "changes"},
		"removed": {head{kind: kindRemoved, key: keyOf("c"), seq: 1 << 32, received: -1}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			frame := append(make([]byte, headSize), tc.payload...)
			tc.head.measure(frame)
			tc.head.encode(frame, m)
			h, payload, err := decodeRecord(frame, m)
			if err != nil || string(payload) != tc.payload {
				t.Fatalf("got %q, %v", payload, err)
			}
			if diff := cmp.Diff(tc.head, h, cmp.AllowUnexported(head{})); diff != "" {
				t.Errorf("written and read:\n%s", diff)
			}
			for i := range frame {
				bad := bytes.Clone(frame)
				bad[i] ^= 0x10
				if _, _, err := decodeRecord(bad, m); err == nil {
					t.Errorf("octet %d changed: taken", i)
				}
				if _, _, err := decodeRecord(frame[:i], m); err == nil {
					t.Errorf("cut to %d octets: taken", i)
				}
			}
			if _, _, err := decodeRecord(slices.Concat(frame, []byte{0}), m); err == nil {
				t.Error("an octet too many: taken")
			}
		})
	}
}

// TestRecordBounds: checksums alone don't make a record.
func TestRecordBounds(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]head{
		"kind 0":             {kind: 0},
		"unknown kind":       {kind: kindRemoved + 1},
		"too long a payload": {kind: kindCopy, length: maxPayload + 1},
	} {
		frame := make([]byte, headSize)
		h.encode(frame, mark{})
		if _, err := decodeHead(frame, mark{}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func TestSegmentNumber(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		number uint32
		suffix string
		ok     bool
	}{
		"00000001": {1, "", true}, "00000012.damaged": {12, ".damaged", true}, "99999999": {99999999, "", true},
		"00000000": {}, "": {}, "1": {}, "-0000001": {}, "0000000x": {}, "+0000001": {},
	} {
		number, suffix, ok := segmentNumber(name)
		if ok != want.ok || ok && (number != want.number || suffix != want.suffix) {
			t.Errorf("%q: got %d, %q, %v", name, number, suffix, ok)
		}
	}
}
