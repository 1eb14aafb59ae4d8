package nameserver

import (
	"strings"
	"testing"

	"secondaryd/internal/wire"
)

func TestQuestionName(t *testing.T) {
	t.Parallel()
	header := strings.Repeat("\x00", wire.HeaderSize)
	label := "\x3F" + strings.Repeat("a", wire.MaxLabel)
	longest := strings.Repeat(label, 3) + "\x3D" + strings.Repeat("b", 61) + "\x00"
	for _, tc := range []struct{ msg, want string }{
		{header + "\x03www\x07example\x03org\x00\x00\x01\x00\x01", "\x03www\x07example\x03org\x00"},
		{header + "\x00", "\x00"},
		{header + longest, longest},
		{header + strings.Repeat(label, 4) + "\x00", ""},
		{header + "\x03www", ""},
		{header + "\x03ww", ""},
		{header + "\x03www\xC0\x0C", ""},
		{header + "\x40www", ""},
		{header, ""},
		{"abc", ""},
		{"", ""},
	} {
		if got := questionName([]byte(tc.msg)); string(got) != tc.want {
			t.Errorf("%q: got %q, want %q", tc.msg, got, tc.want)
		}
	}
}

// A bug in looking ahead is held as well as one in answering.
func TestLookaheadPanicIsContained(t *testing.T) {
	t.Parallel()
	b, addr := openBatch(t, "127.0.0.1:0", lookaheadFrom)
	u := &udpServer{batch: b, ahead: newLookahead(panickingZones{}, lookaheadFrom), worker: testWorker(newStore(t, exampleOrg))}
	conn := dial(t, "udp", addr)
	for range lookaheadFrom {
		send(t, conn, packed(t, "www.example.org A"))
	}
	n, err := b.receive()
	if err != nil || n != lookaheadFrom {
		t.Fatalf("received %d, %v; want %d", n, err, lookaheadFrom)
	}
	u.answer(n)
	for range lookaheadFrom {
		if _, err := conn.Read(make([]byte, maxUDP)); err != nil {
			t.Fatal(err)
		}
	}
}

// Looking ahead allocates nothing, whatever there is to look at.
func TestLookaheadAllocatesNothing(t *testing.T) {
	store := newStore(t, exampleOrg, signedExample)
	store.Configure("empty", wire.Name("\x05empty\x03org\x00"))
	queries := [][]byte{nil, {1, 2}, packed(t, "example.net A"), packed(t, "empty.org A")}
	for _, question := range pathQueries {
		queries = append(queries, packed(t, question))
	}
	l := newLookahead(store, len(queries))
	query := func(i int) []byte { return queries[i] }
	if n := testing.AllocsPerRun(100, func() { l.run(len(queries), query) }); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
