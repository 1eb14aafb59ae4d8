package nameserver

import (
	"maps"
	"slices"
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

// What is found out while looking ahead does not change the answer.
func TestForeseen(t *testing.T) {
	t.Parallel()
	store := newStore(t, exampleOrg, signedExample)
	store.Configure("empty", wire.Name("\x05empty\x03org\x00"))
	r := testResponder(store)
	questions := append([]string{"example.net A", "empty.org A", "WWW.Example.ORG A", "example.org DS", ". NS"}, slices.Sorted(maps.Values(pathQueries))...)
	l := newLookahead(store, len(questions))
	queries := make([][]byte, len(questions))
	for i, question := range questions {
		queries[i] = packed(t, question)
	}
	l.run(len(queries), func(i int) []byte { return queries[i] })
	for i, query := range queries {
		if l.query(i) == nil {
			t.Errorf("nothing is known of %s", questions[i])
		}
		checkForeseen(t, r, query, l.query(i))
	}
	// Nothing is left of the queries before.
	l.run(2, func(i int) []byte { return [][]byte{nil, packed(t, "www.example.org A")[:20]}[i] })
	if l.query(0) != nil || l.query(1) != nil {
		t.Error("something is known of what is no query")
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
