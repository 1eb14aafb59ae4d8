// Package wiretest makes names and RDATA in wire form for tests, from the text
// that people read. Whatever is wrong with the text ends the test.
package wiretest

import (
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/wire"
)

// Name reads a name in presentation form.
func Name(t testing.TB, text string) wire.Name {
	t.Helper()
	n, err := wire.ParseName(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Record reads a record in presentation form.
func Record(t testing.TB, text string) dns.RR {
	t.Helper()
	rr, err := dns.NewRR(text)
	if err != nil {
		t.Fatalf("record %q: %v", text, err)
	}
	return rr
}

// Rdata returns the uncompressed RDATA of rr. The caller may keep it.
func Rdata(t testing.TB, rr dns.RR) []byte {
	t.Helper()
	msg := make([]byte, wire.MaxMessage)
	end, err := dns.PackRR(rr, msg, 0, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	off, err := wire.SkipName(msg, 0)
	if err != nil {
		t.Fatal(err)
	}
	return msg[off+10 : end]
}
