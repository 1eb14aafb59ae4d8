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

// refusal is the answer a server gives to a request that it does not accept.
func refusal(t testing.TB, request []byte, rcode int) []byte {
	t.Helper()
	m := new(dns.Msg)
	m.SetRcode(query(), rcode)
	m.Id = binary.BigEndian.Uint16(request)
	return pack(t, m)
}

// cut signs a request whose MAC has only size octets.
func cut(t testing.TB, k *Key, size int) []byte {
	t.Helper()
	msg := pack(t, query())
	rec := k.record(msg, testTime)
	k.sign(bytes.Clone(msg), nil, rec, false)
	rec.mac = rec.mac[:size]
	return rec.append(msg)
}

func TestVerify(t *testing.T) {
	t.Parallel()
	k := testKey(t)
	signedBy := func(k *Key, now time.Time) []byte {
		msg, _ := k.Sign(pack(t, query()), nil, now)
		return msg
	}
	withMAC := func(mac []byte) []byte {
		msg := pack(t, query())
		rec := k.record(msg, testTime)
		rec.mac = mac
		return rec.append(msg)
	}
	changed := signedBy(k, testTime)
	changed[wire.HeaderSize+1] ^= 1
	early := testTime.Add(-time.Hour)
	for name, tc := range map[string]struct {
		msg    []byte
		rcode  int // 0: accepted
		code   int // of the answer's TSIG record, -1 for none
		signed bool
		text   string
	}{
		"right":               {signedBy(k, testTime), 0, 0, false, ""},
		"300 s behind":        {signedBy(k, testTime.Add(-300*time.Second)), 0, 0, false, ""},
		"unknown key":         {signedBy(mustKey(t, "else.", "hmac-sha256", secret), testTime), rcodeNotAuth, codeBadKey, false, "unknown key else. (hmac-sha256.)"},
		"another algorithm":   {signedBy(mustKey(t, keyName, "hmac-sha512", secret), testTime), rcodeNotAuth, codeBadKey, false, "hmac-sha512"},
		"another secret":      {signedBy(other(t), testTime), rcodeNotAuth, codeBadSig, false, "does not verify"},
		"secret and time":     {signedBy(other(t), early), rcodeNotAuth, codeBadSig, false, "does not verify"},
		"changed":             {changed, rcodeNotAuth, codeBadSig, false, "does not verify"},
		"an hour behind":      {signedBy(k, early), rcodeNotAuth, codeBadTime, true, "theirs is 1h0m0s behind ours"},
		"301 s ahead":         {signedBy(k, testTime.Add(301*time.Second)), rcodeNotAuth, codeBadTime, true, "theirs is 5m1s ahead of ours"},
		"MAC cut by one":      {cut(t, k, 31), rcodeNotAuth, codeBadTrunc, true, "31 of 32"},
		"MAC cut by half":     {cut(t, k, 16), rcodeNotAuth, codeBadTrunc, true, "16 of 32"},
		"MAC cut by more":     {cut(t, k, 15), rcodeFormErr, -1, false, "MAC of 15 octets"},
		"MAC of one octet":    {cut(t, k, 1), rcodeFormErr, -1, false, "MAC of 1 octets"},
		"no MAC":              {withMAC(nil), rcodeFormErr, -1, false, "MAC of 0 octets"},
		"MAC too long":        {withMAC(make([]byte, 33)), rcodeFormErr, -1, false, "MAC of 33 octets"},
		"wrong MAC cut short": {withMAC(make([]byte, 16)), rcodeNotAuth, codeBadSig, false, "does not verify"},
		"octets behind":       {append(signedBy(k, testTime), 0), rcodeFormErr, -1, false, "not the last"},
		"cut off":             {signedBy(k, testTime)[:50], rcodeFormErr, -1, false, ""},
	} {
		msg := bytes.Clone(tc.msg)
		got, rejected := Verify(msg, one(k), testTime)
		if tc.rcode == 0 {
			if rejected != nil || got.Key != k || !bytes.Equal(got.Body, pack(t, query())) {
				t.Errorf("%s: got %+v, %v", name, got, rejected)
			}
			continue
		}
		if rejected == nil || got.Key != nil || got.Body != nil {
			t.Errorf("%s: accepted as %+v", name, got)
			continue
		}
		if rejected.Rcode != tc.rcode || !strings.Contains(rejected.Error(), tc.text) {
			t.Errorf("%s: got rcode %d, %v; want rcode %d with %q", name, rejected.Rcode, rejected, tc.rcode, tc.text)
		}
		clear(msg) // the answer may be made where the request was
		checkRefusal(t, name, tc.msg, rejected, tc.code, tc.signed)
	}
}

// checkRefusal has the library read and verify the answer that reports an error.
func checkRefusal(t *testing.T, name string, request []byte, rejected *RequestError, code int, signed bool) {
	t.Helper()
	later := testTime.Add(time.Second)
	plain := refusal(t, request, rejected.Rcode)
	out := rejected.Append(bytes.Clone(plain), later)
	m := new(dns.Msg)
	if err := m.Unpack(out); err != nil {
		t.Errorf("%s: the answer can't be read: %v", name, err)
		return
	}
	rec := m.IsTsig()
	if code < 0 {
		if !bytes.Equal(out, plain) {
			t.Errorf("%s: the answer got a record: %v", name, rec)
		}
		return
	}
	if rec == nil || int(rec.Error) != code || (rec.MACSize > 0) != signed {
		t.Errorf("%s: got the record %v, want error %d, signed %v", name, rec, code, signed)
		return
	}
	req := new(dns.Msg)
	if err := req.Unpack(request); err != nil {
		t.Fatal(err)
	}
	asked := req.IsTsig()
	if rec.TimeSigned != asked.TimeSigned || rec.Fudge != asked.Fudge || rec.Hdr.Name != strings.ToLower(asked.Hdr.Name) {
		t.Errorf("%s: got the record %v for %v", name, rec, asked)
	}
	wantOther := ""
	if code == codeBadTime {
		wantOther = fmt.Sprintf("%012x", later.Unix())
	}
	if rec.OtherData != wantOther {
		t.Errorf("%s: got other data %q, want %q", name, rec.OtherData, wantOther)
	}
	if !signed {
		return
	}
	// The library's verifier takes no NOTAUTH, so its signer must give the same
	// MAC; and ours, with the clock of who asked, must come as far as the error.
	_, mac, err := dns.TsigGenerate(m, secret, asked.MAC, false)
	if err != nil || mac != rec.MAC {
		t.Errorf("%s: the answer's MAC is %s, the library's %s, %v", name, rec.MAC, mac, err)
	}
	theirs := time.Unix(int64(asked.TimeSigned), 0)
	want := map[int]error{codeBadTime: ErrBadTime, codeBadTrunc: ErrBadTrunc}[code]
	if _, err := NewAnswer(testKey(t), unhex(t, asked.MAC)).Next(bytes.Clone(out), theirs); !errors.Is(err, want) {
		t.Errorf("%s: the answer gives %v, want %v", name, err, want)
	}
	if _, err := NewAnswer(testKey(t), []byte("other")).Next(out, theirs); !errors.Is(err, ErrMAC) {
		t.Errorf("%s: for another request the answer gives %v, want %v", name, err, ErrMAC)
	}
}

func TestVerifyUnsigned(t *testing.T) {
	t.Parallel()
	plain := pack(t, query())
	got, rejected := Verify(plain, func(wire.Name) *Key { t.Error("a key was looked up"); return nil }, testTime)
	if rejected != nil || got.Key != nil || got.MAC != nil || !bytes.Equal(got.Body, pack(t, query())) {
		t.Errorf("got %+v, %v", got, rejected)
	}
}

// TestForwardedRequest: a forwarder without the key gives a request another ID
// and awaits the answer under that one.
func TestForwardedRequest(t *testing.T) {
	t.Parallel()
	k := testKey(t)
	forward := func(now time.Time) []byte {
		msg, _ := k.Sign(pack(t, query()), nil, now)
		binary.BigEndian.PutUint16(msg, 0x4321)
		return msg
	}
	got, rejected := Verify(forward(testTime), one(k), testTime)
	if rejected != nil || binary.BigEndian.Uint16(got.Body) != 0x4321 {
		t.Errorf("got %+v, %v; want the ID 0x4321", got, rejected)
	}
	request := forward(testTime.Add(-time.Hour))
	_, rejected = Verify(bytes.Clone(request), one(k), testTime)
	if rejected == nil {
		t.Fatal("a request of an hour ago was accepted")
	}
	checkRefusal(t, "forwarded", request, rejected, codeBadTime, true)
}

// TestVerifyKeepsMAC: the answer's digest needs the request's MAC when the
// request's memory holds something else already.
func TestVerifyKeepsMAC(t *testing.T) {
	t.Parallel()
	k := testKey(t)
	msg, mac := k.Sign(pack(t, query()), nil, testTime)
	got, rejected := Verify(msg, one(k), testTime)
	if rejected != nil {
		t.Fatal(rejected)
	}
	clear(msg[:cap(msg)])
	if !bytes.Equal(got.MAC, mac) {
		t.Errorf("got %x, want %x", got.MAC, mac)
	}
}

func FuzzVerify(f *testing.F) {
	k := testKey(f)
	genuine, _ := k.Sign(pack(f, query()), nil, testTime)
	f.Add(bytes.Clone(genuine))
	f.Add(pack(f, query()))
	f.Add(cut(f, k, 16))
	foreign, _ := other(f).Sign(pack(f, query()), nil, testTime)
	f.Add(foreign)
	late, _ := k.Sign(pack(f, query()), nil, testTime.Add(time.Hour))
	f.Add(late)
	f.Fuzz(func(t *testing.T, msg []byte) {
		got, rejected := Verify(bytes.Clone(msg), one(k), testTime)
		if rejected != nil {
			if got.Key != nil || got.Body != nil || rejected.Error() == "" {
				t.Fatalf("rejected with %v, but %+v", rejected, got)
			}
			out := rejected.Append(refusal(t, genuine, rejected.Rcode), testTime)
			if rec, err := find(out); err != nil || (rec == nil) != (rejected.Rcode == rcodeFormErr) {
				t.Fatalf("the answer to %v has the record %+v, %v", rejected, rec, err)
			}
			return
		}
		if got.Key == nil {
			if carriesTSIG(msg) || !bytes.Equal(got.Body, msg) {
				t.Fatalf("%x was taken for unsigned", msg)
			}
			return
		}
		// Without the secret, nobody makes another message than the genuine
		// one pass, save for its ID and the case of the record's names.
		if !bytes.Equal(wire.AppendFolded(nil, msg[2:]), wire.AppendFolded(nil, genuine[2:])) {
			t.Fatalf("accepted %x", msg)
		}
	})
}
