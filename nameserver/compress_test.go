package nameserver

import (
	"fmt"
	"testing"

	"secondaryd/internal/wire"
	"secondaryd/internal/wiretest"
)

// How well names compress does not depend on what they hash to: with any seed a
// message as full as UDP makes it has each name once and then as a pointer.
func TestCompressionIsComplete(t *testing.T) {
	t.Parallel()
	var names []wire.Name
	for i := range 40 {
		names = append(names, wiretest.Name(t, fmt.Sprintf("h%d.d%d.the.same.zone.", i, i%20)))
	}
	const (
		apex    = len("\x03the\x04same\x04zone\x00")
		pointer = 2
	)
	want := wire.HeaderSize + len(names)*pointer + apex
	for i := range 20 {
		label := len(fmt.Sprintf("\x00h%d", i))
		want += label + len(fmt.Sprintf("\x00d%d", i)) // the first to have it
		want += len(fmt.Sprintf("\x00h%d", i+20))
	}
	want += (len(names) - 1) * pointer
	out := make([]byte, 0, maxUDP)
	for seed := range uint64(2000) {
		var m message
		m.names.seed = seed
		m.reset(out)
		m.begin(nil, maxUDP)
		for range 2 {
			for _, n := range names {
				if _, ok := m.putName(n); !ok {
					t.Fatal("no room")
				}
			}
		}
		if len(m.buf) != want {
			t.Fatalf("seed %d: got %d octets, want %d", seed, len(m.buf), want)
		}
	}
}

// A message may have more names than the table: they come out right, only longer.
func TestMoreNamesThanPlaces(t *testing.T) {
	t.Parallel()
	var m message
	m.reset(make([]byte, 0, wire.MaxMessage))
	m.begin(nil, wire.MaxMessage)
	for i := range 2 * nameTableSize {
		want := wiretest.Name(t, fmt.Sprintf("h%d.d%d.zone.", i, i))
		start := len(m.buf)
		if _, ok := m.putName(want); !ok {
			t.Fatal("no room")
		}
		if !m.holds(start, want) {
			t.Fatalf("name %d reads otherwise than %q", i, want)
		}
		if size := len(m.buf) - start; i > 0 && size > len(want)-len("\x04zone\x00")+len("\xC0\x0C") {
			t.Errorf("name %d takes %d octets: the zone's name is forgotten", i, size)
		}
	}
}

// Stale hints of a rolled back RRset or an earlier message do no harm.
func TestHintsAreVerified(t *testing.T) {
	t.Parallel()
	m := message{}
	m.names.seed = 7
	out := make([]byte, 0, 512)
	name := wiretest.Name(t, "a.b.c")
	for range 3 {
		m.reset(out)
		m.begin(nil, 512)
		if _, ok := m.putName(name); !ok {
			t.Fatal("no room")
		}
		m.buf = append(m.buf[:wire.HeaderSize], "garbage"...)
		start := len(m.buf)
		if _, ok := m.putName(name); !ok {
			t.Fatal("no room")
		}
		if got := m.buf[start:]; string(got) != string(name) {
			t.Errorf("got %x, want %x", got, name)
		}
	}
	for range 1 << 16 {
		m.reset(out)
	}
	if m.names.generation == 0 {
		t.Error("generation 0 would believe empty places")
	}
}
