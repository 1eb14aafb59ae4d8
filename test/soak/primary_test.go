package soak

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

// The keys at the primaries. The daemon's copy of the turning one is often wrong.
var (
	goodKey    = harness.Key{Name: "good.key.", Algorithm: dns.HmacSHA256, Secret: "c2VjcmV0IG9mIHRoZSBzb2Fr"}
	turningKey = harness.Key{Name: "turning.key.", Algorithm: dns.HmacSHA512, Secret: "YW5vdGhlciBzZWNyZXQgb2YgdGhlIHNvYWs="}
	wrongKey   = harness.Key{Name: goodKey.Name, Algorithm: goodKey.Algorithm, Secret: "bm90IHRoZSBzZWNyZXQ="}
	unknownKey = harness.Key{Name: "unknown.key.", Algorithm: goodKey.Algorithm, Secret: goodKey.Secret}
)

// aheadOfAll is how much newer the liar's serials are. Who took one would show.
const aheadOfAll = 1 << 29

// startPrimaries runs the primary that has the zones and the one that never
// hands out a good copy, until the test ends.
func (s *soak) startPrimaries(t testing.TB) {
	t.Helper()
	honest := primary.Options{Listen: "127.0.0.1:0", Keys: []primary.Key{primary.Key(goodKey), primary.Key(turningKey)}}
	liar := primary.Options{Listen: "127.0.0.1:0"}
	for _, z := range s.zones {
		honest.Zones = append(honest.Zones, primary.Zone{Name: z.name, Records: z.records(t, s.scale.largeRecords)})
		lie, err := primary.Parse(z.name, signedText(z.name, z.latest.Load()+aheadOfAll))
		if err != nil {
			t.Fatal(err)
		}
		liar.Zones = append(liar.Zones, primary.Zone{Name: z.name, Records: lie})
	}
	s.primary, _ = harness.StartPrimary(t, honest)
	s.liar, _ = harness.StartPrimary(t, liar)
	s.liar.Script(lie)
}

// change gives zones new versions, the large one rarely.
func (s *soak) change(ctx context.Context) {
	for rest(ctx, s.scale.changePause) {
		z := s.zones[1+rand.IntN(len(s.zones)-1)]
		if rand.IntN(100) == 0 {
			z = s.zones[0]
		}
		if _, err := s.primary.Update(z.name, z.next); err != nil {
			s.faults.add("primary: %v", err)
			return
		}
	}
}

// unsteady is mostly honest; some transfers end in the middle, fall silent or
// are slow, and some polls get no answer.
func unsteady(e *primary.Exchange) error {
	qtype := e.Question().Qtype
	switch {
	case e.Failure != 0:
		return primary.Honest(e)
	case qtype == dns.TypeSOA && rand.IntN(100) == 0:
		return e.Stall()
	case qtype != dns.TypeAXFR && qtype != dns.TypeIXFR:
		return primary.Honest(e)
	}
	switch rand.IntN(40) {
	case 0, 1, 2:
		return partly(e, e.Cut)
	case 3:
		return partly(e, e.Stall)
	case 4, 5, 6, 7:
		return slowly(e)
	case 8:
		return primary.Rcode(dns.RcodeServerFailure)(e)
	}
	return primary.Honest(e)
}

// partly sends some of the messages and then does as end says.
func partly(e *primary.Exchange, end func() error) error {
	messages := split(e)
	for _, m := range messages[:rand.IntN(len(messages))] {
		if err := e.Send(m); err != nil {
			return err
		}
	}
	return end()
}

// slowly takes up to a second or so.
func slowly(e *primary.Exchange) error {
	messages := split(e)
	for _, m := range messages {
		if err := e.Send(m); err != nil {
			return err
		}
		time.Sleep(time.Second / time.Duration(len(messages)+1))
	}
	return nil
}

// split is the honest answer in about ten messages, or as many as it has anyway.
func split(e *primary.Exchange) []*dns.Msg {
	honest := e.Answer()
	if len(honest) != 1 || len(honest[0].Answer) == 0 {
		return honest
	}
	return e.Messages(honest[0].Answer, 1+honest[0].Len()/10)
}

var lies = []primary.Script{
	primary.Rcode(dns.RcodeRefused),
	primary.Rcode(dns.RcodeServerFailure),
	primary.CutAfter(0),
	primary.CutAfter(3),
	primary.StallAfter(2),
	primary.WrongID(),
	primary.WrongZone("another.test."),
	primary.FinalSOA(func(soa *dns.SOA) { soa.Serial++ }),
	primary.MidSOA(func(soa *dns.SOA) { soa.Serial++ }),
	primary.LyingCounts(3),
}

// lie answers polls, so that a transfer is tried, and no transfer well.
func lie(e *primary.Exchange) error {
	if e.Question().Qtype == dns.TypeSOA && rand.IntN(4) != 0 {
		return primary.Honest(e)
	}
	return lies[rand.IntN(len(lies))](e)
}
