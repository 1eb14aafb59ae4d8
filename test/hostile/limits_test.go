package hostile

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

// What the records of a stream without end are.

// plantedText makes large records, each of a name of its own.
func plantedText(zone string, i int) dns.RR {
	text := slices.Repeat([]string{strings.Repeat("x", 250)}, 4)
	return &dns.TXT{Hdr: dns.RR_Header{Name: fmt.Sprintf("n%d.%s%s", i, planted, zone), Rrtype: dns.TypeTXT, Class: dns.ClassINET}, Txt: text}
}

// plantedName makes small records, each of a name of its own.
func plantedName(zone string, i int) dns.RR {
	return address(fmt.Sprintf("n%d.%s%s", i, planted, zone), i)
}

// plantedAddress makes a RRset.
func plantedAddress(zone string, i int) dns.RR { return address(planted+zone, i) }

// plantedAgain makes the same record again and again.
func plantedAgain(zone string, _ int) dns.RR { return address(planted+zone, 1) }

// plantedInTurn makes two RRsets, a record of each in turn.
func plantedInTurn(zone string, i int) dns.RR {
	return address(fmt.Sprintf("n%d.%s%s", i%2, planted, zone), i)
}

// plantedType makes records of more and more types.
func plantedType(zone string, i int) dns.RR {
	return &dns.RFC3597{Hdr: dns.RR_Header{Name: planted + zone, Rrtype: uint16(1000 + i%30000), Class: dns.ClassINET}}
}

func address(name string, i int) dns.RR {
	ip := []byte{10, byte(i >> 16), byte(i >> 8), byte(i)}
	return &dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: ip}
}

// enough is when a stream without end gives up: far more than any limit here.
const enough = 48 << 20

func endless(next func(zone string, i int) dns.RR) func(string) primary.Script {
	return onAXFR(primary.Endless(enough, next))
}

// many has the newer version hold n records more.
func many(n int, next func(zone string, i int) dns.RR) func(zone string) func([]dns.RR) []dns.RR {
	return func(zone string) func([]dns.RR) []dns.RR {
		return func(records []dns.RR) []dns.RR {
			for i := range n {
				records = append(records, next(zone, i))
			}
			return records
		}
	}
}

func honest(string) primary.Script { return nil }

// sizes are zones that are too large in one way or other.
var sizes = []class{
	{name: "octets without end", script: endless(plantedText), step: "AXFR", cause: overLimit, detail: "octets"},
	{name: "names without end", script: endless(plantedName), step: "AXFR", cause: overLimit, detail: "5000 records"},
	{name: "the same record without end", script: endless(plantedAgain), step: "AXFR", cause: overLimit, detail: "5000 records"},
	{name: "two RRsets in turn without end", script: endless(plantedInTurn), step: "AXFR", cause: overLimit, detail: "5000 records"},
	{name: "a RRset without end", script: endless(plantedAddress), step: "AXFR", cause: overLimit, detail: "1000 records in an RRset"},
	{name: "types at a name without end", script: endless(plantedType), step: "AXFR", cause: overLimit, detail: "100 types"},
	{name: "a RRset of 1001", script: honest, change: many(1001, plantedAddress), step: "AXFR", cause: overLimit, detail: "1000 records in an RRset"},
	{name: "two RRsets of 1001 in turn", script: honest, change: many(2002, plantedInTurn), step: "AXFR", cause: overLimit, detail: "1000 records in an RRset"},
	{name: "101 types at a name", script: honest, change: many(101, plantedType), step: "AXFR", cause: overLimit, detail: "100 types"},
	{name: "3001 messages", script: onAXFR(primary.OnePerMessage()), change: many(3000, plantedName), step: "AXFR", cause: overLimit, detail: overMessages},
	{name: "empty messages without end", script: onAXFR(primary.Trickle(0)), step: "AXFR", cause: overLimit, detail: overMessages},
	{name: "a RRset of 1000", script: honest, change: many(1000, within(plantedAddress)), records: plainRecords + 1000},
	{name: "100 types at a name", script: honest, change: many(100, within(plantedType)), records: plainRecords + 100},
}

const overMessages = "3000 messages (transfer.max_messages)"

// within gives what may be served another name.
func within(next func(zone string, i int) dns.RR) func(zone string, i int) dns.RR {
	return func(zone string, i int) dns.RR {
		rr := next(zone, i)
		rr.Header().Name = "within." + zone
		return rr
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{Config: quick + "  max_bytes: 4MiB\n  max_records: 5000\n  max_messages: 3000\n"})
	before := d.PeakMemory(t)
	play(t, d, false, sizes)
	// All of them at once, each with what it may take until it is refused.
	if grown := d.PeakMemory(t) - before; grown > 2*small {
		t.Errorf("needed %d MiB more, the limits ask for less", grown>>20)
	}
}

// TestSizesByDefault has no limit but the defaults stop the stream.
func TestSizesByDefault(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{Config: quick})
	before := d.PeakMemory(t)
	play(t, d, false, []class{
		{name: "a RRset without end", script: endless(plantedAddress), step: "AXFR", cause: overLimit, detail: "1000 records in an RRset"},
		{name: "types at a name without end", script: endless(plantedType), step: "AXFR", cause: overLimit, detail: "100 types"},
		{name: "empty messages without end", script: onAXFR(primary.Trickle(0)), step: "AXFR", cause: structure, detail: "without a record"},
	})
	if grown := d.PeakMemory(t) - before; grown > small {
		t.Errorf("needed %d MiB more before it was refused", grown>>20)
	}
}

// slow are primaries that keep us waiting.
var slow = []class{
	{name: "silence", script: onAXFR(primary.Silence), step: "AXFR", cause: noAnswer},
	{name: "silence in the middle", script: onAXFR(primary.StallAfter(3)), step: "AXFR", cause: stalled},
	{name: "half a message", script: onAXFR(func(e *primary.Exchange) error {
		return cmp.Or(e.Raw([]byte{0, 99, 1, 2, 3}), e.Stall())
	}), step: "AXFR", cause: noAnswer},
	{name: "octet by octet", script: onAXFR(func(e *primary.Exchange) error {
		err := e.Raw([]byte{0xFF, 0xFF})
		for err == nil {
			err = cmp.Or(e.Raw([]byte{0}), e.Pause(100*time.Millisecond))
		}
		return err
	}), step: "AXFR", cause: noAnswer},
	{name: "messages without content", script: onAXFR(primary.Trickle(100 * time.Millisecond)), step: "AXFR", cause: tooLong},
}

func TestSlow(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{Config: quick + "  total_timeout: 3s\n"})
	play(t, d, false, slow)
}

// TestLeastRate takes longer than all others: a transfer may be slow for half a
// minute before the least rate is held against it.
func TestLeastRate(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{Config: quick})
	play(t, d, false, []class{
		{name: "trickle", script: onAXFR(primary.Trickle(300 * time.Millisecond)), step: "AXFR", cause: tooSlow, patience: time.Minute},
	})
}

// TestBudget has transfers that are each within the limit hold more octets
// together than all may.
func TestBudget(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{Config: quick + "  max_bytes: 3MiB\n  max_bytes_running: 4MiB\n"})
	var hoarders []*upstream
	for i := range 3 {
		u := startPrimary(t, "", fmt.Sprintf("hoarder%d.test.", i), "", lazy)
		u.Script(primary.On(dns.TypeAXFR, primary.Endless(2<<20, plantedText)))
		hoarders = append(hoarders, u)
		d.Zone(t, u.zone, d.Peer(t, u.zone, u.Addr(), nil))
	}
	d.WaitLog(t, func(e harness.Entry) bool {
		return e.Message() == "peer failed" && e.Text("step") == "AXFR" && e.Text("cause") == overBudget
	}, "a transfer over the limit of all")
	for _, u := range hoarders {
		u.Script(nil)
	}
	for _, u := range hoarders {
		harness.WaitSerial(t, d.DNS, u.zone, 1)
		u.wantVersion(t, d, 1)
	}
}

// TestStalledPeers has many peers accept and never answer, each with a zone that
// has a copy and one that has none, and a good peer beside them.
func TestStalledPeers(t *testing.T) {
	t.Parallel()
	const addresses = 40
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	good := startPrimary(t, "", "good.test.", "", lazy)
	d.Zone(t, good.zone, d.Peer(t, "good", good.Addr(), nil))
	harness.WaitSerial(t, d.DNS, good.zone, 1)
	for i := range byte(addresses) {
		addr := netip.AddrFrom4([4]byte{127, 0, 0, 2 + i})
		u := startPrimary(t, netip.AddrPortFrom(addr, 0).String(), fmt.Sprintf("stalled%02d.test.", i), "", lazy)
		p := d.Peer(t, u.zone, u.Addr(), nil)
		d.Zone(t, u.zone, p)
		harness.WaitSerial(t, d.DNS, u.zone, 1)
		u.Script(primary.Silence)
		harness.Notify(t, addr, d.DNS, u.zone, nil)
		empty := "empty." + u.zone
		d.Zone(t, empty, p)
		harness.Wait(t, func() bool { return u.Seen(u.zone, dns.TypeSOA) > 0 && u.Seen(empty, dns.TypeAXFR) > 0 }, "both zones to stall")
	}
	for range 3 {
		serial := good.bump(t, nil)
		begin := time.Now()
		good.notify(t, d)
		harness.WaitSerial(t, d.DNS, good.zone, serial)
		if took := time.Since(begin); took > time.Second {
			t.Errorf("the good peer's zone took %v", took)
		}
	}
}
