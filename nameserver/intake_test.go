package nameserver

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"
)

// stream returns messages of the given sizes as they follow each other.
func stream(sizes []int) (octets []byte, messages [][]byte) {
	for n, size := range sizes {
		message := bytes.Repeat([]byte{byte(n + 1)}, size)
		octets = binary.BigEndian.AppendUint16(octets, uint16(size))
		octets = append(octets, message...)
		messages = append(messages, message)
	}
	return octets, messages
}

// feed gives an intake the octets in pieces and returns the messages. Now and
// then the buffer is taken away in between.
func feed(t testing.TB, octets []byte, size int, piece func() int, takeAway func() bool) (messages [][]byte) {
	t.Helper()
	var in intake
	buffer := make([]byte, size)
	for {
		for in.ready() {
			messages = append(messages, bytes.Clone(in.take()))
			if takeAway() {
				in.stash()
				buffer = make([]byte, size)
			}
		}
		if len(octets) == 0 {
			return messages
		}
		if takeAway() {
			in.stash()
			clear(buffer)
			// The least piece of memory has eight octets.
			if limit := max(2*len(in.data)+size, 8); cap(in.own) > limit {
				t.Fatalf("holds %d octets of memory for %d that have arrived", cap(in.own), len(in.data))
			}
		}
		room := in.room(buffer)
		if len(room) == 0 {
			t.Fatal("no room")
		}
		n := copy(room[:min(len(room), piece())], octets)
		in.received(n)
		octets = octets[n:]
	}
}

func TestIntake(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var sizes []int
		for range 1 + random.IntN(20) {
			sizes = append(sizes, random.IntN(1<<(1+random.IntN(12))))
		}
		octets, want := stream(sizes)
		most := 1 + random.IntN(3000)
		got := feed(t, octets, 64+random.IntN(1000),
			func() int { return 1 + random.IntN(most) },
			func() bool { return random.IntN(3) == 0 })
		if !equalMessages(got, want) {
			t.Fatalf("sizes %v: other messages came out", sizes)
		}
	}
	octets, want := stream([]int{65535, 0, 65535})
	if got := feed(t, octets, 100, func() int { return 1 << 20 }, func() bool { return false }); !equalMessages(got, want) {
		t.Error("largest messages came out otherwise")
	}
}

func equalMessages(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// FuzzIntake has any octets in pieces of any sizes come out as when they come at once.
func FuzzIntake(f *testing.F) {
	octets, _ := stream([]int{1, 0, 300, 17})
	f.Add(octets, []byte{1, 200, 3}, uint16(100))
	f.Add([]byte("0\x01"), []byte("\x00\x01\x01\x00"), uint16(1))
	f.Fuzz(func(t *testing.T, octets, pieces []byte, size uint16) {
		never := func() bool { return false }
		want := feed(t, octets, 1<<17, func() int { return 1 << 17 }, never)
		next := 0
		piece := func() int {
			if next++; next > len(pieces) {
				return 1 << 17
			}
			return max(int(pieces[next-1]), 1)
		}
		got := feed(t, octets, max(int(size), lengthSize+1), piece, func() bool { return next%3 == 1 })
		if !equalMessages(got, want) {
			t.Error("the pieces matter")
		}
	})
}
