package hostile

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

// forged sends an AXFR whose third message, an A record, has a TSIG record, or octets, as
// change makes them of the right ones.
func forged(change func(msg []byte, t *dns.TSIG) []byte) func(string) primary.Script {
	return onAXFR(primary.Forged(func(i, _ int, msg []byte, t *dns.TSIG, attach primary.Attach) ([]byte, error) {
		if i == 2 {
			msg = change(msg, t)
		}
		return attach(msg, t)
	}))
}

// optSize is the size of the OPT record that a message ends with.
const optSize = 11

// forgedTSIG changes the TSIG record alone.
func forgedTSIG(change func(*dns.TSIG)) func(string) primary.Script {
	return forged(func(msg []byte, t *dns.TSIG) []byte { change(t); return msg })
}

// shortened leaves n octets of the MAC.
func shortened(n int) func(string) primary.Script {
	return forgedTSIG(func(t *dns.TSIG) { t.MAC, t.MACSize = t.MAC[:2*n], uint16(n) })
}

// wrongKeys sign with something else than the key that was asked with.
var wrongKeys = []class{
	{name: "another key", script: always(primary.SignedBy(primary.Key{Name: "other.key.", Algorithm: key.Algorithm, Secret: key.Secret})), step: "TSIG", cause: otherKey},
	{name: "another key for the AXFR", script: onAXFR(primary.SignedBy(primary.Key{Name: "other.key.", Algorithm: key.Algorithm, Secret: key.Secret})), step: "TSIG", cause: otherKey},
	{name: "another algorithm", script: onAXFR(primary.SignedBy(primary.Key{Name: key.Name, Algorithm: dns.HmacSHA512, Secret: key.Secret})), step: "TSIG", cause: algorithm},
	{name: "another secret", script: onAXFR(primary.SignedBy(primary.Key{Name: key.Name, Algorithm: key.Algorithm, Secret: "b3RoZXI="})), step: "TSIG", cause: secrets},
	{name: "key not known", script: always(primary.TSIGError(dns.RcodeBadKey)), step: "TSIG", cause: badKey},
	{name: "signature not taken", script: always(primary.TSIGError(dns.RcodeBadSig)), step: "TSIG", cause: secrets},
	{name: "time not taken", script: always(primary.TSIGError(dns.RcodeBadTime)), step: "TSIG", cause: clocks},
	{name: "a clock an hour behind", script: onAXFR(primary.SignedAt(-time.Hour)), step: "TSIG", cause: clocks},
	{name: "a clock an hour ahead", script: onAXFR(primary.SignedAt(time.Hour)), step: "TSIG", cause: clocks},
}

// notSigned leave signatures out.
var notSigned = []class{
	{name: "nothing signed", script: always(primary.Unsigned), step: "TSIG", cause: unsigned},
	{name: "AXFR not signed", script: onAXFR(primary.Unsigned), step: "TSIG", cause: unsigned},
	{name: "first message not signed", script: onAXFR(func(e *primary.Exchange) error {
		return cmp.Or(e.SendUnsigned(e.Answer()[0]), e.Stall())
	}), step: "TSIG", cause: unsigned},
	{name: "last message not signed", script: onAXFR(primary.LastUnsigned), step: "TSIG", cause: unsigned},
	{name: "100 messages between signatures", script: onAXFR(primary.SignedEvery(100)), change: many(250, plantedName), step: "TSIG", cause: unsigned},
	{name: "99 messages between signatures", script: onAXFR(primary.SignedEvery(99)), change: many(250, distinct), records: plainRecords + 250},
	{name: "a message slipped in", script: onAXFR(func(e *primary.Exchange) error {
		slip := e.Messages([]dns.RR{record(planted+"%s 60 A 192.0.2.66", e.Question().Name)}, 1)[0]
		return primary.EachRecord(func(i, n int, m *dns.Msg) *dns.Msg {
			if raw, err := slip.Pack(); i == n/2 && err == nil {
				_ = e.Write(raw) // what is behind it fails too, then
			}
			return m
		})(e)
	}), step: "TSIG", cause: secrets},
}

// distinct makes names that may be served.
func distinct(zone string, i int) dns.RR { return address(fmt.Sprintf("n%d.%s", i, zone), i) }

// forgeries change what was signed, or the record that signs.
var forgeries = []class{
	{name: "content changed", script: forged(func(msg []byte, _ *dns.TSIG) []byte { msg[len(msg)-optSize-1] ^= 1; return msg }), step: "TSIG", cause: secrets},
	{name: "header changed", script: forged(func(msg []byte, _ *dns.TSIG) []byte { msg[2] ^= 1; return msg }), step: "TSIG", cause: secrets},
	{name: "time changed", script: forgedTSIG(func(t *dns.TSIG) { t.TimeSigned++ }), step: "TSIG", cause: secrets},
	{name: "fudge changed", script: forgedTSIG(func(t *dns.TSIG) { t.Fudge++ }), step: "TSIG", cause: secrets},
	{name: "no time", script: forgedTSIG(func(t *dns.TSIG) { t.TimeSigned, t.Fudge = 0, 0 }), step: "TSIG", cause: secrets},
	{name: "MAC changed", script: forgedTSIG(func(t *dns.TSIG) { t.MAC = strings.Repeat("0", len(t.MAC)) }), step: "TSIG", cause: secrets},
	{name: "MAC cut to half", script: shortened(16), step: "TSIG", cause: secrets},
	{name: "MAC of one octet", script: shortened(1), step: "TSIG", cause: secrets},
	{name: "no MAC", script: shortened(0), step: "TSIG", cause: secrets},
	{name: "two TSIG records", script: onAXFR(primary.Forged(func(_, _ int, msg []byte, t *dns.TSIG, attach primary.Attach) ([]byte, error) {
		msg, err := attach(msg, t)
		if err != nil {
			return nil, err
		}
		return attach(msg, t)
	})), step: "TSIG", cause: badTSIG},
	{name: "a record behind the TSIG", script: onAXFR(primary.Forged(func(_, _ int, msg []byte, t *dns.TSIG, attach primary.Attach) ([]byte, error) {
		msg, err := attach(msg, t)
		binary.BigEndian.PutUint16(msg[10:], binary.BigEndian.Uint16(msg[10:])+1)
		return append(msg, 0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 66), err
	})), step: "TSIG", cause: badTSIG},
	{name: "another answer replayed", script: func(string) primary.Script { return replay() }, step: "TSIG", cause: secrets},
}

// replay answers an AXFR with the signed answer to the SOA query before it.
func replay() primary.Script {
	var mu sync.Mutex // guards kept
	var kept []byte
	return func(e *primary.Exchange) error {
		mu.Lock()
		defer mu.Unlock()
		if e.Question().Qtype == dns.TypeAXFR {
			binary.BigEndian.PutUint16(kept, e.Request.Id)
			return e.Write(kept)
		}
		var err error
		if kept, err = e.Pack(e.Answer()[0]); err != nil {
			return err
		}
		return e.Write(kept)
	}
}

// TestTSIG has peers that share a key with us send what that key does not vouch
// for.
func TestTSIG(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{Config: quick})
	play(t, d, true, append(append(wrongKeys, notSigned...), forgeries...))
	for _, e := range d.Log.Find(0, func(e harness.Entry) bool { return strings.Contains(fmt.Sprint(e), key.Secret) }) {
		t.Errorf("the log holds the secret: %v", e)
	}
	for _, s := range d.Client.Metrics(t) {
		if strings.Contains(fmt.Sprint(s), key.Secret) {
			t.Errorf("the metrics hold the secret: %v", s)
		}
	}
}

// TestWeakKeys: what signs nothing is refused when it is configured.
func TestWeakKeys(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	for name, weak := range map[string]harness.TSIG{
		"empty secret":      {Name: "weak.key.", Algo: dns.HmacSHA256},
		"secret no base64":  {Name: "weak.key.", Algo: dns.HmacSHA256, Secret: "%%%"},
		"unknown algorithm": {Name: "weak.key.", Algo: "hmac-rot13.", Secret: key.Secret},
		"no algorithm":      {Name: "weak.key.", Secret: key.Secret},
		"no name":           {Algo: dns.HmacSHA256, Secret: key.Secret},
	} {
		a, err := d.Client.Do(http.MethodPost, "/accounts/"+harness.AccountID+"/secondary_dns/tsigs", weak)
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != http.StatusBadRequest || len(a.Errors) == 0 {
			t.Errorf("%s: status %d, errors %+v", name, a.Status, a.Errors)
		}
	}
}
