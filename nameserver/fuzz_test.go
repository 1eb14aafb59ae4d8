package nameserver

import (
	"bytes"
	"slices"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
)

// FuzzAnswer: whatever comes in, what goes out is nothing or a legal answer to
// it.
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

	for _, query := range optionQueries(f) {
		f.Add(query, false)
		f.Add(query, true)
	}
	p := fullProfile(f)
	r := newResponder(store, testDesk(&fakeNotifier{peer: testClient.Addr(), key: testKey(f)}), p)
	p.anyFull = true
	all := newResponder(store, testDesk(&fakeNotifier{}), p)
	ahead := newLookahead(store, 2)
	valid := packed(f, "www.example.org A")
	f.Fuzz(func(t *testing.T, msg []byte, overTCP bool) {
		ahead.run(2, func(i int) []byte { return [][]byte{msg, valid}[i] })
		for _, r := range []*responder{r, all} {
			checkAnyAnswer(t, r, msg, overTCP)
			checkForeseen(t, r, msg, ahead.query(0))
		}
	})
}

// checkForeseen compares the answer to a query of which something was found out
// while looking ahead with the one without that.
func checkForeseen(t *testing.T, r *responder, msg []byte, f *foreseen) {
	t.Helper()
	if h, ok := wire.ParseHeader(msg); !ok || h.Opcode() != wire.OpcodeQuery {
		return
	}
	from := by(UDP)
	want := slices.Clone(r.answer(bytes.Clone(msg), from, make([]byte, 0, r.udpSize)))
	from.foreseen = f
	if got := r.answer(bytes.Clone(msg), from, make([]byte, 0, r.udpSize)); !bytes.Equal(got, want) {
		t.Errorf("query %x\nanswered %x\nforeseen %x", msg, want, got)
	}
}

// checkAnyAnswer gives r a message that may be anything and checks what holds of
// every answer: it can be parsed, repeats ID and question, keeps to the size,
// and has one OPT record if and only if the query was read and has one.
func checkAnyAnswer(t *testing.T, r *responder, msg []byte, overTCP bool) {
	t.Helper()
	transport, limit := UDP, r.udpSize
	if overTCP {
		transport, limit = TCP, wire.MaxMessage
	}
	out := r.answer(bytes.Clone(msg), by(transport), make([]byte, 0, limit))
	if out == nil {
		return
	}
	answer := new(dns.Msg)
	if err := answer.Unpack(out); err != nil {
		t.Fatalf("answer does not unpack: %v\nquery %x\nanswer %x", err, msg, out)
	}
	checkHeader(t, msg, out)
	checkSettled(t, out, answer)
	options := optionsIn(t, out)
	if query := &r.query; query.edns.present != (options != nil) {
		t.Errorf("OPT read %v, OPT answered %v", query.edns.present, options != nil)
	} else if !overTCP && query.edns.present {
		limit = min(limit, max(int(query.edns.size), minUDP))
	} else if !overTCP {
		limit = minUDP
	}
	if answer.IsTsig() == nil && len(out) > limit {
		t.Errorf("%d octets, limit %d", len(out), limit)
	}
	if answer.Truncated && (overTCP && r.cut == answerSection || answer.Rcode != rcodeNoError && answer.Rcode != rcodeNXDomain && answer.Rcode != rcodeYXDomain) {
		t.Errorf("TC with %s, TCP %v", dns.RcodeToString[answer.Rcode], overTCP)
	}
}

// FuzzOptions: whatever the RDATA of an OPT record holds, it is refused or its
// options are those that a plain walk finds.
func FuzzOptions(f *testing.F) {
	for _, seed := range []string{
		"", askNSID + askExpire + askCookie + askKeepalive + askZoneVersion + padding, option(optionCookie, "1"),
		askZoneVersion + askZoneVersion, "\x00\x0A\x00", option(optionKeepalive, "\x00\x01"),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var o options
		whole := o.read(data)
		asked, ok := optionCodes(data)
		if whole && !ok {
			t.Fatalf("options that do not fill their record are accepted: %x", data)
		}
		if !whole {
			return
		}
		for code, bit := range map[uint16]optionSet{
			optionNSID: withNSID, optionExpire: withExpire, optionCookie: withCookie, optionKeepalive: withKeepalive, optionZoneVersion: withZoneVersion,
		} {
			if (o.asked&bit != 0) != (asked[code] > 0) {
				t.Errorf("option %d is there %d times, found %v", code, asked[code], o.asked&bit != 0)
			}
		}
		if asked[optionZoneVersion] > 1 {
			t.Error("two ZONEVERSION options are accepted")
		}
	})
}

// optionCodes counts options by their codes, and reports whether they fill b.
func optionCodes(b []byte) (map[uint16]int, bool) {
	codes := map[uint16]int{}
	for i := 0; i < len(b); {
		if i+4 > len(b) {
			return codes, false
		}
		codes[uint16(b[i])<<8|uint16(b[i+1])]++
		i += 4 + int(b[i+2])<<8 + int(b[i+3])
		if i > len(b) {
			return codes, false
		}
	}
	return codes, true
}

// FuzzQuery: what the parser takes from a message is there, and its slices stay
// within the message.
func FuzzQuery(f *testing.F) {
	for _, query := range optionQueries(f) {
		f.Add(query)
	}
	for _, question := range pathQueries {
		f.Add(packed(f, question))
	}
	f.Add([]byte("\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\xC0\x0C\x00\x01\x00\x01"))
	f.Add([]byte("\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00)\x10\x00\x00\x00\x00\x01\x00\x00)\x10\x00\x00\f\x00\n\x00\b12345678"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		header, ok := wire.ParseHeader(msg)
		if !ok {
			return
		}
		q := query{header: header}
		var reader wire.Reader
		if header.QD != 1 || q.readQuestion(msg, &reader) != nil {
			return
		}
		if !bytes.HasPrefix(msg[wire.HeaderSize:], q.question) || len(q.question) != len(q.name)+questionFixed || len(q.name) > wire.MaxName {
			t.Fatalf("question %x, name %x", q.question, q.name)
		}
		if q.readRecords(msg, &reader) != nil {
			return
		}
		if (q.edns.present || q.signed) && header.AR == 0 {
			t.Error("OPT or TSIG from an empty section")
		}
		if !bytes.Contains(msg, q.edns.cookie) {
			t.Errorf("cookie %x is not in the message", q.edns.cookie)
		}
		got := new(dns.Msg)
		if got.Unpack(msg) != nil || q.edns.malformed {
			return // miekg/dns also looks into other records
		}
		if opt := got.IsEdns0(); opt != nil && len(got.Extra) == 1 && (!q.edns.present || q.edns.do != opt.Do() || q.edns.size != opt.UDPSize() || q.edns.version != opt.Version()) {
			t.Errorf("got %+v, want %v", q.edns, opt)
		}
	})
}

// signedZoneAt is signedZone under another name.
func signedZoneAt(apex string) string {
	return "$ORIGIN " + apex + signedZone[len("\n$ORIGIN example.org."):]
}
