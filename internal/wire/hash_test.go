package wire

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestSuffixes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		".", "a.", "www.example.org.", "*.a.", `\000.\255.x.`,
		"longer-than-eight-octets.exactly7.exactly.org.",
		strings.Repeat("a.", MaxLabels), labels63(3, 61),
	} {
		n := mustName(t, text)
		var s Suffixes
		s.Set(n, 42)
		if s.Count() != n.Labels() {
			t.Errorf("%s: got %d suffixes, want %d", text, s.Count(), n.Labels())
			continue
		}
		for i, rest := 0, n; i <= s.Count(); i, rest = i+1, rest.Parent() {
			if !bytes.Equal(s.Name(i), rest) {
				t.Errorf("%s: suffix %d is %s, want %s", text, i, s.Name(i), rest)
			}
			if s.Hash(i) != HashName(rest, 42) {
				t.Errorf("%s: hash of suffix %d is not that of %s", text, i, rest)
			}
			if i < s.Count() && s.Hash(i) != HashChild(s.Hash(i+1), rest[:rest[0]+1]) {
				t.Errorf("%s: hash of suffix %d does not follow from its parent's", text, i)
			}
		}
	}
}

// TestSuffixesAgain: a used value has nothing left of a longer name before.
func TestSuffixesAgain(t *testing.T) {
	t.Parallel()
	var used, fresh Suffixes
	used.Set(mustName(t, strings.Repeat("a.", MaxLabels)), 1)
	used.Set(mustName(t, "b.c."), 2)
	fresh.Set(mustName(t, "b.c."), 2)
	if used.Count() != fresh.Count() {
		t.Fatalf("got %d labels, want %d", used.Count(), fresh.Count())
	}
	for i := range fresh.Count() + 1 {
		if used.Hash(i) != fresh.Hash(i) || !bytes.Equal(used.Name(i), fresh.Name(i)) {
			t.Errorf("suffix %d: got %s, want %s with the same hash", i, used.Name(i), fresh.Name(i))
		}
	}
}

// TestHashStable: copies of zones on disk hold an index by these hashes, so
// another function needs another version of that format.
func TestHashStable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]uint64{
		".":                                  0xF6059F1F3AAD2FC8,
		"example.org.":                       0x6B79DEBFF5B6905F,
		"a-label-of-more-than-eight-octets.": 0x00FCFA9DD7999624,
	} {
		if got := HashName(mustName(t, text), 42); got != want {
			t.Errorf("%s: got %#x, want %#x", text, got, want)
		}
	}
}

// TestLastWord compares with an octet at a time.
func TestLastWord(t *testing.T) {
	t.Parallel()
	label := []byte("0123456789abcdefghijklmnopqrstuvwxyz")
	for size := range len(label) {
		var want uint64
		for i, c := range label[size&^7 : size] {
			want |= uint64(c) << (8 * i)
		}
		if got := lastWord(label[:size]); got != want {
			t.Errorf("of %d octets: got %#x, want %#x", size, got, want)
		}
	}
}

// TestHashSpread counts equal upper halves, which tables use, among names of
// the kinds that zones are full of: chance gives about 5 of them.
func TestHashSpread(t *testing.T) {
	t.Parallel()
	const names = 200_000
	seen := make(map[uint32]struct{}, names)
	equal := 0
	enter := func(text string) {
		upper := uint32(HashName(mustName(t, text), 7) >> 32)
		if _, ok := seen[upper]; ok {
			equal++
		}
		seen[upper] = struct{}{}
	}
	for i := range names / 5 {
		enter(fmt.Sprintf("host%d.example.org.", i))
		enter(fmt.Sprintf("%d.%d.%d.in-addr.arpa.", i&255, i>>8&255, i>>16))
		enter(fmt.Sprintf("%x.%x.%x.%x.%x.ip6.arpa.", i&15, i>>4&15, i>>8&15, i>>12&15, i>>16))
		enter(fmt.Sprintf("a-longer-first-label-%08d.example.org.", i))
		enter(fmt.Sprintf("www.customer%d.example.", i))
	}
	if equal > 25 {
		t.Errorf("%d of %d names share the upper half of their hash, want about 5", equal, names)
	}
}

// TestHashSeed: names that collide under one seed must not under another, or a
// primary could choose names that make a table slow.
func TestHashSeed(t *testing.T) {
	t.Parallel()
	type pair struct{ a, b string }
	var pairs []pair
	first := map[uint16]string{}
	for i := range 20_000 {
		text := fmt.Sprintf("n%d.example.", i)
		low := uint16(HashName(mustName(t, text), 1) >> 48)
		if other, ok := first[low]; ok {
			pairs = append(pairs, pair{other, text})
			continue
		}
		first[low] = text
	}
	still := 0
	for _, p := range pairs {
		if HashName(mustName(t, p.a), 2)>>48 == HashName(mustName(t, p.b), 2)>>48 {
			still++
		}
	}
	if len(pairs) < 1000 || still > 2 {
		t.Errorf("%d of %d pairs of names that collide under one seed do under another", still, len(pairs))
	}
}

func BenchmarkSuffixesSet(b *testing.B) {
	for name, text := range map[string]string{
		"www":      "www.example.org.",
		"ip6.arpa": strings.Repeat("a.", 32) + "ip6.arpa.",
		"longest":  strings.Repeat("a.", MaxLabels),
	} {
		b.Run(name, func(b *testing.B) {
			n := mustName(b, text)
			var s Suffixes
			b.ReportAllocs()
			for b.Loop() {
				s.Set(n, 42)
			}
		})
	}
}
