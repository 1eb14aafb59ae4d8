package transfer

import (
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/zonestore/zone"
)

const (
	testZone = "example.org."
	testSeed = 11
	testID   = 4711
)

// defaultLimits are those of the settings, with waits that a test on real
// sockets can afford.
func defaultLimits() Limits {
	return Limits{
		Connect: 2 * time.Second, FirstMessage: 300 * time.Millisecond, Message: 300 * time.Millisecond,
		Total: 10 * time.Second, MinRate: 1 << 10,
		Bytes: 512 << 20, BytesRunning: 1 << 30, Messages: 10_000_000, Records: 10_000_000, RRsetRecords: 1000, TypesPerName: 100,
		Running: 64, RunningPerPeer: 8, PollsPerSecond: 200,
		MinRetry: time.Second, MaxRetry: 24 * time.Hour, MinExpire: time.Second, MaxExpire: 365 * 24 * time.Hour, MaxBackoff: time.Hour,
		Guard:        Guard{ShrinkPercent: 50, ShrinkFrom: 50, Faults: Warn, ZONEMD: Hold},
		DefaultRetry: 10 * time.Minute, DefaultExpire: 7 * 24 * time.Hour,
	}
}

// records parses one record a line; names are absolute.
func records(t testing.TB, text string) []dns.RR {
	t.Helper()
	var all []dns.RR
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		rr, err := dns.NewRR(line)
		if err != nil {
			t.Fatalf("record %q: %v", line, err)
		}
		all = append(all, rr)
	}
	return all
}

// answer makes the message that answers a question about the apex with the
// records; change may spoil it before it is packed.
func answer(t testing.TB, qtype uint16, rrs []dns.RR, change func(*dns.Msg)) []byte {
	t.Helper()
	m := new(dns.Msg).SetQuestion(testZone, qtype)
	m.Id, m.Response, m.Authoritative, m.RecursionDesired = testID, true, true, false
	m.Answer, m.Compress = rrs, true
	if change != nil {
		change(m)
	}
	msg, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// flags returns msg with the bits of its flags that are in clear cleared, and
// those in set set.
func flags(msg []byte, clear, set uint16) []byte {
	old := binary.BigEndian.Uint16(msg[2:])
	binary.BigEndian.PutUint16(msg[2:], old&^clear|set)
	return msg
}

// count returns msg with the count in one of its header's places changed:
// 4 questions, 6 answers, 8 authority, 10 additional.
func count(msg []byte, place, by int) []byte {
	binary.BigEndian.PutUint16(msg[place:], uint16(int(binary.BigEndian.Uint16(msg[place:]))+by))
	return msg
}

// wantFailure compares step and cause of an error.
func wantFailure(t *testing.T, err error, step Step, cause Cause) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want %s: %s", step, cause)
	}
	if e := classify(step, err); e.Step != step || e.Cause != cause {
		t.Errorf("got %s: %s\nwant %s: %s", e.Step, e.Cause, step, cause)
	}
}

// listing gives the records of a zone in a form that can be compared.
func listing(z *zone.Zone) map[string]int {
	all := map[string]int{}
	for n := range z.All() {
		for set := range n.Sets() {
			all[n.Name().String()+" "+dns.TypeToString[set.Type]] = set.Len() + set.Signatures()
		}
	}
	return all
}
