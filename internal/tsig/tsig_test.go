package tsig

import (
	"encoding/base64"
	"encoding/hex"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
)

const (
	keyName = "Key.Example."
	secret  = "c2VjcmV0LXNlY3JldC1zZWNyZXQh" // "secret-secret-secret!"
)

func mustKey(t testing.TB, name, algorithm, secret string) *Key {
	t.Helper()
	k, err := NewKey(name, algorithm, secret)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func testKey(t testing.TB) *Key {
	t.Helper()
	return mustKey(t, keyName, "hmac-sha256", secret)
}

func pack(t testing.TB, m *dns.Msg) []byte {
	t.Helper()
	msg, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return msg
}

// query is a SOA request with an EDNS record.
func query() *dns.Msg {
	m := new(dns.Msg)
	m.SetQuestion("example.org.", dns.TypeSOA)
	m.Id = 0x1234
	m.SetEdns0(1232, false)
	return m
}

// answer answers query; part makes each message of a stream differ.
func answer(part byte) *dns.Msg {
	m := new(dns.Msg)
	m.SetReply(query())
	m.Compress = true
	m.Answer = []dns.RR{
		&dns.A{Hdr: dns.RR_Header{Name: "a.example.org.", Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: []byte{192, 0, 2, part}},
		&dns.A{Hdr: dns.RR_Header{Name: "b.example.org.", Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 60}, A: []byte{192, 0, 2, 200}},
	}
	return m
}

func unhex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSignAsMiekg has the library verify what we sign.
func TestSignAsMiekg(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, algorithm := range Algorithms {
		k := mustKey(t, keyName, algorithm, secret)
		plain := pack(t, query())
		request, mac := k.Sign(pack(t, query()), nil, now)
		if len(request) != len(plain)+k.Size() {
			t.Errorf("%s: the record takes %d octets, Size says %d", algorithm, len(request)-len(plain), k.Size())
		}
		if err := dns.TsigVerify(request, secret, "", false); err != nil {
			t.Errorf("%s: request: %v", algorithm, err)
		}
		first, firstMAC := k.Sign(pack(t, answer(1)), mac, now)
		if err := dns.TsigVerify(first, secret, hex.EncodeToString(mac), false); err != nil {
			t.Errorf("%s: first answer: %v", algorithm, err)
		}
		next, _ := k.SignNext(pack(t, answer(2)), firstMAC, now)
		if err := dns.TsigVerify(next, secret, hex.EncodeToString(firstMAC), true); err != nil {
			t.Errorf("%s: next answer: %v", algorithm, err)
		}
		if err := dns.TsigVerify(next, secret, hex.EncodeToString(mac), true); err == nil {
			t.Errorf("%s: next answer verifies against the wrong MAC", algorithm)
		}
	}
}

// TestVerifyFromMiekg verifies what the library signs, in both directions.
func TestVerifyFromMiekg(t *testing.T) {
	t.Parallel()
	now := time.Now()
	for _, algorithm := range Algorithms {
		k := mustKey(t, "key.example.", algorithm, secret)
		sign := func(m *dns.Msg, prior []byte, timersOnly bool) (msg, mac []byte) {
			m.SetTsig(keyName, algorithm+".", Fudge, now.Unix())
			msg, text, err := dns.TsigGenerate(m, secret, hex.EncodeToString(prior), timersOnly)
			if err != nil {
				t.Fatal(err)
			}
			return msg, unhex(t, text)
		}
		request, mac := sign(query(), nil, false)
		got, rejected := Verify(request, one(k), now)
		if rejected != nil || got.Key != k || string(got.MAC) != string(mac) || string(got.Body) != string(pack(t, query())) {
			t.Errorf("%s: request: got %+v, %v", algorithm, got, rejected)
		}
		a := NewAnswer(k, mac)
		first, firstMAC := sign(answer(1), mac, false)
		next, _ := sign(answer(2), firstMAC, true)
		for i, msg := range [][]byte{first, next} {
			body, err := a.Next(msg, now)
			if err != nil || string(body) != string(pack(t, answer(byte(i+1)))) {
				t.Errorf("%s: answer %d: got %x, %v", algorithm, i+1, body, err)
			}
		}
		if err := a.Finish(); err != nil {
			t.Errorf("%s: finish: %v", algorithm, err)
		}
	}
}

// one is the lookup of a server that has the key k alone.
func one(k *Key) func(wire.Name) *Key {
	return func(name wire.Name) *Key {
		if string(name) == string(k.Name()) {
			return k
		}
		return nil
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	k := testKey(t)
	now := time.Unix(1_700_000_000, 0)
	signed := func() []byte {
		msg, _ := k.Sign(pack(t, query()), nil, now)
		return msg
	}
	count := func(msg []byte, section int, by int) []byte {
		msg[section+1] = byte(int(msg[section+1]) + by)
		return msg
	}
	const qd, an, ar = 4, 6, 10
	plain := pack(t, query())
	record := signed()[len(plain):]
	// at returns the signed message with the octets at an offset into the record replaced.
	at := func(off int, octets string) []byte {
		msg := signed()
		copy(msg[len(plain)+off:], octets)
		return msg
	}
	fields := len(k.name) + 10 + len(k.algorithm) // where the time begins
	for name, tc := range map[string]struct {
		msg  []byte
		want bool // a record is found; else an error is
	}{
		"signed":                       {signed(), true},
		"no header":                    {[]byte("eleven octe"), false},
		"octets behind":                {append(signed(), 0), false},
		"two records":                  {count(append(signed(), record...), ar, 1), false},
		"not the last":                 {count(append(signed(), plain[len(plain)-11:]...), ar, 1), false},
		"in the answer section":        {count(count(signed(), an, 2), ar, -2), false},
		"a record too few counted":     {count(signed(), ar, 1), false},
		"a question too few counted":   {count(signed(), qd, -1), false},
		"a question too many":          {count(signed(), qd, 1), false},
		"of class IN":                  {at(len(k.name)+2, "\x00\x01"), false},
		"of TTL 1":                     {at(len(k.name)+4, "\x00\x00\x00\x01"), false},
		"RDATA shorter":                {at(len(k.name)+8, "\x00\x3C"), false},
		"RDATA of no octets":           {at(len(k.name)+8, "\x00\x00"), false},
		"MAC longer than the RDATA":    {at(fields+8, "\xFF\xFF"), false},
		"MAC shorter than it says":     {at(fields+8, "\x00\x21"), false},
		"other data longer than it is": {at(fields+10+32+4, "\x00\x01"), false},
		"owner a forward pointer":      {at(0, "\xC0\xFF"), false},
		"algorithm a forward pointer":  {at(len(k.name)+10, "\xC0\xFF"), false},
	} {
		rec, err := find(tc.msg)
		if (err == nil && rec != nil) != tc.want {
			t.Errorf("%s: got %+v, %v", name, rec, err)
		}
		if !carriesTSIG(tc.msg) {
			t.Errorf("%s: not said to be signed", name)
		}
	}
	if rec, err := find(plain); rec != nil || err != nil || carriesTSIG(plain) {
		t.Errorf("unsigned message: got %+v, %v", rec, err)
	}
	for size := range len(signed()) {
		if rec, err := find(signed()[:size]); err == nil {
			t.Errorf("cut to %d octets: got %+v", size, rec)
		}
	}
}

// TestCompressedNames: the MAC covers the names written out and in lower case,
// however they lie in the message (RFC 8945 section 4.3.3).
func TestCompressedNames(t *testing.T) {
	t.Parallel()
	k := mustKey(t, "example.org.", "hmac-sha256", secret)
	now := time.Unix(1_700_000_000, 0)
	plain := pack(t, query())
	msg, _ := k.Sign(pack(t, query()), nil, now)
	short := append(msg[:len(plain):len(plain)], 0xC0, wire.HeaderSize)
	short = append(short, msg[len(plain)+len(k.name):]...)
	copy(short[wire.HeaderSize:], "\x07eXample\x03Org") // not in the MAC: the question is
	if _, rejected := Verify(short, one(k), now); rejected == nil {
		t.Error("a change of the question's case went unnoticed")
	}
	copy(short[wire.HeaderSize:], "\x07example\x03org")
	if got, rejected := Verify(short, one(k), now); rejected != nil || got.Key != k {
		t.Errorf("got %+v, %v", got, rejected)
	}
}

func TestNewKeyErrors(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ name, algorithm, secret string }{
		"no name":           {"", "hmac-sha256", secret},
		"bad name":          {"a..b", "hmac-sha256", secret},
		"MD5":               {"a", "hmac-md5.sig-alg.reg.int", secret},
		"unknown algorithm": {"a", "hmac-sha3", secret},
		"empty secret":      {"a", "hmac-sha256", ""},
		"not base64":        {"a", "hmac-sha256", "%%%%"},
		"base64 cut off":    {"a", "hmac-sha256", "c2Vjc"},
	} {
		if k, err := NewKey(tc.name, tc.algorithm, tc.secret); err == nil {
			t.Errorf("%s: got %v", name, k)
		}
	}
	k := mustKey(t, "Some.Key", "HMAC-SHA512.", base64.StdEncoding.EncodeToString([]byte{0}))
	if k.String() != "some.key. (hmac-sha512)" || k.Algorithm() != "hmac-sha512" {
		t.Errorf("got %s of %s", k, k.Algorithm())
	}
	if other, err := k.WithAlgorithm("hmac-sha1"); err != nil || other.Algorithm() != "hmac-sha1" || k.Algorithm() != "hmac-sha512" {
		t.Errorf("with another algorithm: got %v, %v", other, err)
	}
	if _, err := k.WithAlgorithm("none"); err == nil {
		t.Error("with an unknown algorithm: no error")
	}
}

// carriesTSIG reports whether msg carries a TSIG record at its end, without verifying
// it. A message that can't be read counts as signed.
func carriesTSIG(msg []byte) bool {
	rec, err := find(msg)
	return err != nil || rec != nil
}
