package soak

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

// style is what a zone is made of.
type style int

const (
	small  style = iota // every record type and kind of name
	large               // many records
	signed              // shaped like a signed zone; nothing verifies
)

// zone is one zone and what is known of its serials. All of it may be used
// concurrently.
type zone struct {
	name   string // with the last dot
	style  style
	stable bool // configured all the time
	// latest is the serial that the primary has or is about to have.
	latest atomic.Uint32
	// seen is the newest serial that the daemon has answered with.
	seen atomic.Uint32
}

// makeZones returns n zones: half of them stable, a few signed, the first large.
func makeZones(n int) []*zone {
	zones := make([]*zone, n)
	for i := range zones {
		z := &zone{name: fmt.Sprintf("z%d.soak.test.", i), stable: i%2 == 0}
		switch {
		case i == 0:
			z.style = large
		case i%5 == 1:
			z.style = signed
		}
		serial := uint32(1)
		if i%3 == 2 {
			serial = 1<<32 - 20 // comes back to 0 soon
		}
		z.latest.Store(serial)
		z.seen.Store(serial)
		zones[i] = z
	}
	return zones
}

// records are those of the zone's first version.
func (z *zone) records(t testing.TB, largeRecords int) []dns.RR {
	t.Helper()
	serial := z.latest.Load()
	text := harness.ZoneSmall(z.name, serial)
	switch z.style {
	case large:
		text = harness.ZoneLarge(z.name, serial, largeRecords)
	case signed:
		text = signedText(z.name, serial)
	}
	records, err := primary.Parse(z.name, withoutIPSECKEY(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, rr := range records {
		if soa, ok := rr.(*dns.SOA); ok {
			soa.Refresh, soa.Retry, soa.Expire = 5, 1, 86400
		}
	}
	return append(records, z.marks(serial)...)
}

// withoutIPSECKEY leaves out the one line that the parser takes for two.
func withoutIPSECKEY(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, "ipseckey ") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// marks are the records of a version that tell its serial. They come last.
func (z *zone) marks(serial uint32) []dns.RR {
	marks := []dns.RR{txt(z.name, fmt.Sprint(serialPrefix, serial)), txt("stamp."+z.name, fmt.Sprint(serial))}
	if serial%2 == 0 {
		marks = append(marks, txt("even."+z.name, fmt.Sprint(serial)))
	}
	return marks
}

const serialPrefix = "serial "

func txt(owner, text string) dns.RR {
	return &dns.TXT{Hdr: dns.RR_Header{Name: owner, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: 60}, Txt: []string{text}}
}

// next makes the next version of the primary's records, as Server.Update has it.
func (z *zone) next(records []dns.RR) []dns.RR {
	soa := records[0].(*dns.SOA)
	records = records[:len(records)-len(z.marks(soa.Serial))]
	soa.Serial++
	z.latest.Store(soa.Serial)
	return append(records, z.marks(soa.Serial)...)
}

// observe checks a serial that the daemon answered with to a question that was
// asked when floor had been seen: it never goes back, and the primary has it.
func (z *zone) observe(serial, floor uint32) error {
	if after(floor, serial) {
		return fmt.Errorf("serial went back from %d to %d", floor, serial)
	}
	if latest := z.latest.Load(); after(serial, latest) {
		return fmt.Errorf("serial %d, but the primary has only %d", serial, latest)
	}
	for {
		seen := z.seen.Load()
		if !after(serial, seen) || z.seen.CompareAndSwap(seen, serial) {
			return nil
		}
	}
}

// after says that a is newer than b (RFC 1982).
func after(a, b uint32) bool { return int32(a-b) > 0 }

// signedText is a small zone with signatures of the right form over nothing.
func signedText(apex string, serial uint32) string {
	var b strings.Builder
	fmt.Fprintf(&b, "$ORIGIN %s\n$TTL 60\n", apex)
	add := func(owner, qtype, rdata string) {
		fmt.Fprintf(&b, "%s %s %s\n", owner, qtype, rdata)
		labels := dns.CountLabel(apex) + strings.Count(owner+".", ".")
		if owner == "@" {
			labels = dns.CountLabel(apex)
		}
		fmt.Fprintf(&b, "%s RRSIG %s 13 %d 60 20500101000000 20200101000000 12345 %s %s\n",
			owner, qtype, labels, apex, strings.Repeat("AAAA", 22))
	}
	add("@", "SOA", fmt.Sprintf("ns1 hostmaster %d 5 1 86400 60", serial))
	add("@", "NS", "ns1")
	add("@", "DNSKEY", "257 3 13 "+strings.Repeat("AAAA", 22))
	add("@", "NSEC", "ns1 NS SOA TXT RRSIG NSEC DNSKEY")
	add("ns1", "A", "192.0.2.1")
	add("ns1", "NSEC", "www A RRSIG NSEC")
	add("www", "A", "192.0.2.10")
	add("www", "NSEC", "@ A RRSIG NSEC")
	return b.String()
}
