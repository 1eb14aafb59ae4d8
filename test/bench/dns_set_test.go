package bench

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"secondaryd/test/harness"
)

// A set is one or many zones with the questions that are asked of them.
type set struct {
	name   string
	zones  func() []string
	text   func(t *testing.T) string // of the master file, names relative
	denial harness.Denial            // signs the zone unless nil
	shares shares
	do     int  // per cent of the questions
	tcp    bool // instead of UDP
	floor  bool // is measured beside the servers
}

const (
	mixedName    = "mid.example."
	mixedRecords = 99_008
	signedZone   = 37_705 // records before it is signed
	queryCount   = 100_000
)

var (
	mixed   = shares{noData: 9, nxDomain: 15, referral: 10, wildcard: 5}
	ofTLD   = shares{nxDomain: 10, referral: 80, delegationSigner: 8}
	ofSmall = shares{noData: 9, nxDomain: 15}
)

// querySets are all sets by the name that the flag has for them.
var querySets = []*set{
	{name: "mid", zones: single(mixedName), text: mixedText(mixedRecords), shares: mixed, do: 50, floor: true},
	largeSet,
	{name: "nsec", zones: single(mixedName), text: mixedText(signedZone), denial: harness.NSEC, shares: mixed, do: 100},
	{name: "nsec3", zones: single(mixedName), text: mixedText(signedZone), denial: harness.NSEC3, shares: mixed, do: 100},
	{name: "collection", zones: func() []string { return smallNames(*smallZones) }, text: smallText, shares: ofSmall, do: 50},
	{name: "tcp", zones: single(mixedName), text: mixedText(mixedRecords), shares: mixed, do: 50, tcp: true},
}

var largeSet = &set{name: "tld", zones: single(largeName), text: largeText, shares: ofTLD, do: 50}

func single(zone string) func() []string { return func() []string { return []string{zone} } }

func mixedText(records int) func(*testing.T) string {
	return func(*testing.T) string { return harness.ZoneLarge(mixedName, serial, records) }
}

func smallText(*testing.T) string { return small }

func largeText(t *testing.T) string {
	t.Helper()
	var text bytes.Buffer
	if _, err := writeLarge(&text, *delegations, serial); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// start starts a primary of the zones and makes the queries.
func (s *set) start(t *testing.T) (from *primary, queries [][]byte) {
	t.Helper()
	text, zones := s.text(t), s.zones()
	queries = s.queries(t, readPools(text), zones)
	if s.denial != nil {
		text = harness.Sign(t, zones[0], text, s.denial).Text
	}
	say("%s: %d zones of %d lines, %d queries", s.name, len(zones), strings.Count(text, "\n"), len(queries))
	return startPrimary(t, zones, func(f *os.File) error {
		_, err := f.WriteString(text)
		return err
	}), queries
}

// queries are the same each time.
func (s *set) queries(t *testing.T, p pools, zones []string) [][]byte {
	t.Helper()
	random := rand.New(rand.NewPCG(5, 6))
	queries := make([][]byte, queryCount)
	for i := range queries {
		q, err := p.draw(random, s.shares).query(zones[random.IntN(len(zones))], random.IntN(100) < s.do)
		if err != nil {
			t.Fatal(err)
		}
		queries[i] = q
	}
	return queries
}
