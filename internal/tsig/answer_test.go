package tsig

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
)

var testTime = time.Unix(1_700_000_000, 0)

// stream makes the messages of an answer; those whose letter is 's' are signed.
// It writes the digests out itself, for neither Sign nor the library leaves
// messages unsigned.
func stream(t testing.TB, k *Key, requestMAC []byte, plan string) [][]byte {
	t.Helper()
	var messages [][]byte
	var waiting []byte
	prior := requestMAC
	for i, kind := range plan {
		msg := pack(t, answer(byte(i)))
		if kind != 's' {
			waiting = append(waiting, msg...)
			messages = append(messages, msg)
			continue
		}
		rec := k.record(msg, testTime)
		h := k.mac()
		h.Write(appendMAC(nil, prior))
		h.Write(waiting)
		h.Write(msg)
		if i == 0 {
			h.Write(rec.appendVariables(nil))
		} else {
			h.Write(rec.appendTimers(nil))
		}
		rec.mac = h.Sum(nil)
		prior, waiting = rec.mac, nil
		messages = append(messages, rec.append(msg))
	}
	return messages
}

// verify passes messages to a verifier and returns the first error, Finish's
// included, and the message it came with.
func verify(k *Key, requestMAC []byte, messages [][]byte, now time.Time) (at int, err error) {
	a := NewAnswer(k, requestMAC)
	for i, msg := range messages {
		if _, err := a.Next(bytes.Clone(msg), now); err != nil {
			return i, err
		}
	}
	return len(messages), a.Finish()
}

func TestStream(t *testing.T) {
	t.Parallel()
	k := testKey(t)
	requestMAC := []byte("the MAC of a request")
	gap := func(n int) string { return "s" + strings.Repeat("-", n) + "s" }
	for name, tc := range map[string]struct {
		plan string
		at   int
		want error
	}{
		"one":                      {"s", 1, nil},
		"each signed":              {"sssss", 5, nil},
		"some signed":              {"s--s-ss", 7, nil},
		"99 between":               {gap(99), 101, nil},
		"100 between":              {gap(100), 100, ErrTooManyUnsigned},
		"99 between, twice":        {gap(99) + gap(99)[1:], 201, nil},
		"none":                     {"", 0, ErrUnsigned},
		"first unsigned":           {"-s", 0, ErrUnsigned},
		"last unsigned":            {"ss-", 3, ErrUnsigned},
		"all but the first":        {"s---", 4, ErrUnsigned},
		"99 at the end":            {"s" + strings.Repeat("-", 99), 100, ErrUnsigned},
		"100 at the end":           {"s" + strings.Repeat("-", 100), 100, ErrTooManyUnsigned},
		"not one of many is there": {"-----", 0, ErrUnsigned},
	} {
		at, err := verify(k, requestMAC, stream(t, k, requestMAC, tc.plan), testTime)
		if at != tc.at || !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
			t.Errorf("%s: got %v at message %d, want %v at %d", name, err, at, tc.want, tc.at)
		}
	}
}

// TestStreamByLibrary: each message of a stream as BIND, Knot and NSD sign them.
func TestStreamByLibrary(t *testing.T) {
	t.Parallel()
	k := testKey(t)
	_, prior := k.Sign(pack(t, query()), nil, testTime)
	a := NewAnswer(k, prior)
	for i := range 5 {
		m := answer(byte(i))
		m.SetTsig(keyName, "HMAC-sha256.", Fudge, testTime.Unix())
		msg, mac, err := dns.TsigGenerate(m, secret, fmt.Sprintf("%x", prior), i > 0)
		if err != nil {
			t.Fatal(err)
		}
		body, err := a.Next(msg, testTime)
		if err != nil || !bytes.Equal(body, pack(t, answer(byte(i)))) {
			t.Fatalf("message %d: got %x, %v", i, body, err)
		}
		prior = unhex(t, mac)
	}
	if err := a.Finish(); err != nil {
		t.Error(err)
	}
}

// TestStreamTampered changes a stream in each way that a signature must find,
// at the next one at the latest.
func TestStreamTampered(t *testing.T) {
	t.Parallel()
	k := testKey(t)
	requestMAC := []byte("the MAC of a request")
	const plan = "s--s-s"
	size := len(stream(t, k, requestMAC, plan)[1])
	for at := range 6 {
		nextSigned := []int{0, 3, 3, 3, 5, 5}[at]
		for off := range size {
			messages := stream(t, k, requestMAC, plan)
			messages[at][off] ^= 0x20
			got, err := verify(k, requestMAC, messages, testTime)
			if err == nil {
				if off < 2 && nextSigned == at {
					continue // the ID of a signed message is free to change: the record has the original one
				}
				t.Fatalf("octet %d of message %d: no error", off, at)
			}
			if got > nextSigned {
				t.Errorf("octet %d of message %d: %v only at message %d, want by %d", off, at, err, got, nextSigned)
			}
		}
	}
	swap := func(m [][]byte, i, j int) [][]byte { m[i], m[j] = m[j], m[i]; return m }
	for name, change := range map[string]func([][]byte) [][]byte{
		"unsigned ones swapped":   func(m [][]byte) [][]byte { return swap(m, 1, 2) },
		"signed ones swapped":     func(m [][]byte) [][]byte { return swap(m, 3, 5) },
		"one left out":            func(m [][]byte) [][]byte { return append(m[:1:1], m[2:]...) },
		"a signed one left out":   func(m [][]byte) [][]byte { return append(m[:3:3], m[4:]...) },
		"the first left out":      func(m [][]byte) [][]byte { return m[3:] },
		"one twice":               func(m [][]byte) [][]byte { return append(m[:2:2], m[1:]...) },
		"the last twice":          func(m [][]byte) [][]byte { return append(m, m[5]) },
		"one of another stream":   func(m [][]byte) [][]byte { m[3] = stream(t, k, []byte("other"), plan)[3]; return m },
		"one of another key":      func(m [][]byte) [][]byte { m[5] = stream(t, other(t), requestMAC, plan)[5]; return m },
		"signature taken off":     func(m [][]byte) [][]byte { m[5] = pack(t, answer(5)); return m },
		"the records in disorder": func(m [][]byte) [][]byte { m[1] = disorder(t, m[1]); return m },
	} {
		if at, err := verify(k, requestMAC, change(stream(t, k, requestMAC, plan)), testTime); err == nil {
			t.Errorf("%s: no error in %d messages", name, at)
		}
	}
}

// other is a key of the same name and another secret.
func other(t testing.TB) *Key {
	t.Helper()
	return mustKey(t, keyName, "hmac-sha256", "AAAA")
}

func disorder(t testing.TB, msg []byte) []byte {
	t.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(msg); err != nil {
		t.Fatal(err)
	}
	m.Compress = true
	m.Answer[0], m.Answer[1] = m.Answer[1], m.Answer[0]
	changed := pack(t, m)
	if bytes.Equal(changed, msg) {
		t.Fatal("the same message")
	}
	return changed
}

func TestAnswerErrors(t *testing.T) {
	t.Parallel()
	k := testKey(t)
	requestMAC := []byte("the MAC of a request")
	signedBy := func(k *Key, now time.Time) []byte {
		msg, _ := k.Sign(pack(t, answer(1)), requestMAC, now)
		return msg
	}
	withCode := func(code uint16, mac bool, other []byte) []byte {
		msg := pack(t, answer(1))
		rec := k.record(msg, testTime)
		rec.code, rec.other = code, other
		if !mac {
			return rec.append(msg)
		}
		msg, _ = k.sign(msg, requestMAC, rec, false)
		return msg
	}
	truncated := func(size int) []byte {
		msg := pack(t, answer(1))
		rec := k.record(msg, testTime)
		k.sign(bytes.Clone(msg), requestMAC, rec, false)
		rec.mac = rec.mac[:size]
		return rec.append(msg)
	}
	longer := func() []byte {
		msg := pack(t, answer(1))
		rec := k.record(msg, testTime)
		k.sign(bytes.Clone(msg), requestMAC, rec, false)
		rec.mac = append(rec.mac, 0)
		return rec.append(msg)
	}
	noRequest, _ := k.Sign(pack(t, answer(1)), nil, testTime)
	timersOnly, _ := k.SignNext(pack(t, answer(1)), requestMAC, testTime)
	clock := appendUint48(nil, uint64(testTime.Unix()+3*3600))
	for name, tc := range map[string]struct {
		msg  []byte
		want error
		text string
	}{
		"right":                          {signedBy(k, testTime), nil, ""},
		"unsigned":                       {pack(t, answer(1)), ErrUnsigned, ""},
		"another secret":                 {signedBy(other(t), testTime), ErrMAC, ""},
		"another key":                    {signedBy(mustKey(t, "else.", "hmac-sha256", secret), testTime), ErrOtherKey, "else. instead of key.example."},
		"another algorithm":              {signedBy(mustKey(t, keyName, "hmac-sha1", secret), testTime), ErrOtherAlgorithm, "hmac-sha1. instead of hmac-sha256."},
		"no request MAC":                 {noRequest, ErrMAC, ""},
		"timers only":                    {timersOnly, ErrMAC, ""},
		"no MAC":                         {withCode(0, false, nil), ErrMAC, ""},
		"MAC cut by one":                 {truncated(31), ErrMAC, ""},
		"MAC cut by half":                {truncated(16), ErrMAC, ""},
		"MAC cut to 10":                  {truncated(10), ErrMAC, ""},
		"MAC and an octet":               {longer(), ErrMAC, ""},
		"300 s behind":                   {signedBy(k, testTime.Add(-300*time.Second)), nil, ""},
		"300 s ahead":                    {signedBy(k, testTime.Add(300*time.Second)), nil, ""},
		"301 s behind":                   {signedBy(k, testTime.Add(-301*time.Second)), ErrTime, "theirs is 5m1s behind ours"},
		"301 s ahead":                    {signedBy(k, testTime.Add(301*time.Second)), ErrTime, "theirs is 5m1s ahead of ours"},
		"at the end of time":             {signedBy(k, time.Unix(1<<48-1, 0)), ErrTime, "ahead of ours"},
		"wrong time and secret":          {signedBy(other(t), testTime.Add(time.Hour)), ErrMAC, ""},
		"BADKEY":                         {withCode(codeBadKey, false, nil), ErrBadKey, ""},
		"BADSIG":                         {withCode(codeBadSig, false, nil), ErrBadSig, ""},
		"BADTIME":                        {withCode(codeBadTime, true, clock), ErrBadTime, "theirs is 3h0m0s ahead of ours"},
		"BADTIME, unsigned":              {withCode(codeBadTime, false, clock), ErrBadTime, "theirs is 3h0m0s ahead of ours"},
		"BADTIME, at the end of time":    {withCode(codeBadTime, false, bytes.Repeat([]byte{0xFF}, 6)), ErrBadTime, "ahead of ours"},
		"BADTIME in 1970":                {withCode(codeBadTime, false, make([]byte, 6)), ErrBadTime, "behind ours"},
		"BADTIME without a time":         {withCode(codeBadTime, true, nil), ErrBadTime, ""},
		"BADTRUNC":                       {withCode(codeBadTrunc, true, nil), ErrBadTrunc, ""},
		"BADTRUNC, unsigned":             {withCode(codeBadTrunc, false, nil), ErrBadTrunc, ""},
		"octets behind":                  {append(signedBy(k, testTime), 0), ErrRecord, "not the last"},
		"other data that is not signed":  {withCode(0, false, clock), ErrMAC, ""},
		"error 23, which has no meaning": {withCode(23, true, nil), errAny, "TSIG error 23"},
		"cut off":                        {signedBy(k, testTime)[:60], ErrRecord, ""},
	} {
		a := NewAnswer(k, requestMAC)
		body, err := a.Next(tc.msg, testTime)
		if tc.want == nil {
			if err != nil || !bytes.Equal(body, pack(t, answer(1))) || a.Finish() != nil {
				t.Errorf("%s: got %v, finish %v", name, err, a.Finish())
			}
			continue
		}
		if err == nil || !errors.Is(err, tc.want) && tc.want != errAny || !strings.Contains(err.Error(), tc.text) || body != nil {
			t.Errorf("%s: got %v, want %v with %q", name, err, tc.want, tc.text)
		}
		if err != nil && strings.Contains(err.Error(), "--") {
			t.Errorf("%s: the error has a negative time: %v", name, err)
		}
		if a.Finish() == nil {
			t.Errorf("%s: finish accepts it", name)
		}
	}
}

// errAny stands for an error without a name.
var errAny = errors.New("any")

// TestForwardedAnswer: a forwarder may give a message another ID; the record
// keeps the one that was signed (RFC 8945 section 4.2), the message the new one.
func TestForwardedAnswer(t *testing.T) {
	t.Parallel()
	k := testKey(t)
	requestMAC := []byte("the MAC of a request")
	msg, _ := k.Sign(pack(t, answer(1)), requestMAC, testTime)
	binary.BigEndian.PutUint16(msg, 0x4321)
	body, err := NewAnswer(k, requestMAC).Next(msg, testTime)
	if err != nil || binary.BigEndian.Uint16(body) != 0x4321 {
		t.Fatalf("got ID %#x, %v", binary.BigEndian.Uint16(msg), err)
	}
}

func FuzzAnswer(f *testing.F) {
	k := testKey(f)
	requestMAC := []byte("the MAC of a request")
	for _, plan := range []string{"s", "s-s", "ss"} {
		var all []byte
		for _, msg := range stream(f, k, requestMAC, plan) {
			all = append(binary.BigEndian.AppendUint16(all, uint16(len(msg))), msg...)
		}
		f.Add(all)
	}
	// Nobody without the secret makes a message pass but these, save for its ID
	// and the case of the record's names.
	genuine := map[string]bool{}
	essence := func(msg []byte) string { return string(wire.AppendFolded(nil, msg[2:])) }
	for _, plan := range []string{"s", "s-s", "ss"} {
		for _, msg := range stream(f, k, requestMAC, plan) {
			genuine[essence(msg)] = true
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a := NewAnswer(k, requestMAC)
		for len(data) >= 2 {
			size := min(int(binary.BigEndian.Uint16(data)), len(data)-2)
			msg := bytes.Clone(data[2 : 2+size])
			data = data[2+size:]
			body, err := a.Next(bytes.Clone(msg), testTime)
			if err != nil {
				return
			}
			if carriesTSIG(msg) && !genuine[essence(msg)] {
				t.Fatalf("accepted %x", msg)
			}
			if carriesTSIG(body) {
				t.Fatalf("%x is still signed", body)
			}
		}
	})
}
