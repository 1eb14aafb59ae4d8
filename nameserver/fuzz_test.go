package nameserver

import (
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
)

// FuzzAnswer: whatever comes in, what goes out is nothing or a legal answer to
// it within the limit.
func FuzzAnswer(f *testing.F) {
	store := newStore(f, exampleOrg, signedZoneAt("signed.test."), sizeZone())
	store.Configure("empty", wire.Name("\x05empty\x03org\x00"))
	for _, question := range pathQueries {
		f.Add(packed(f, question), false)
		f.Add(packed(f, question), true)
	}
	for _, question := range []string{
		"x.in1000.s A", "mx1000.s MX edns", "huge.s TXT", "x.signed.signed.test A do", "empty.org A edns", "example.org AXFR", "dnroot.example.org ANY do",
	} {
		f.Add(packed(f, question), true)
	}
	notify, err := new(dns.Msg).SetNotify("example.org.").Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(notify, false)
	signed, _ := testKey(f).Sign(notify, nil, testNow)
	f.Add(signed, false)
	chaos := packed(f, "id.server TXT")
	chaos[len(chaos)-1] = wire.ClassCH
	f.Add(chaos, false)

	r := newResponder(store, testDesk(&fakeNotifier{peer: testClient.Addr(), key: testKey(f)}), 1232, "identity")
	f.Fuzz(func(t *testing.T, msg []byte, overTCP bool) {
		transport, limit := UDP, 1232
		if overTCP {
			transport, limit = TCP, wire.MaxMessage
		}
		query := append([]byte(nil), msg...)
		out := r.answer(query, transport, testClient, make([]byte, 0, limit))
		if out == nil {
			return
		}
		if len(out) > limit {
			t.Fatalf("%d octets, limit %d", len(out), limit)
		}
		answer := new(dns.Msg)
		if err := answer.Unpack(out); err != nil {
			t.Fatalf("answer does not unpack: %v\nquery %x\nanswer %x", err, msg, out)
		}
		checkHeader(t, msg, out)
		checkSettled(t, out, answer)
	})
}

// signedZoneAt is signedZone under another name.
func signedZoneAt(apex string) string {
	return "$ORIGIN " + apex + signedZone[len("\n$ORIGIN example.org."):]
}
