package interop

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/test/harness"
)

// edit is a change of the small zone of one kind: lines that are replaced. An
// empty old puts the new ones at the end.
type edit struct {
	name     string
	old, new string
}

// edits can be made one after the other, and undone in any order.
var edits = []edit{
	{"name added", "", "added A 192.0.2.200\nadded TXT \"added\"\n"},
	{"name removed", "ttl-zero 0 A 192.0.2.12\n", ""},
	{"only the serial", "", ""},
	{"only the SOA", "86400 300\n", "86401 299\n"},
	{"empty non-terminals come", "", "leaf.new.empty.names A 192.0.2.201\n"},
	{"empty non-terminals go", "leaf.empty.non.terminal A 192.0.2.43\n", ""},
	{"empty non-terminal gets data", "below.ent.wild A 192.0.2.71\n", "below.ent.wild A 192.0.2.71\nent.wild TXT \"no longer empty\"\n"},
	{"name becomes an empty non-terminal", "10.ptr PTR www\n", "leaf.10.ptr PTR www\n"},
	{"RRset grows", "www 60 A 192.0.2.11\n", "www 60 A 192.0.2.11\nwww 60 A 192.0.2.110\nwww 60 A 192.0.2.111\n"},
	{"RRset shrinks", "hundred 120 A 203.0.113.50\n", ""},
	{"RRset goes, its name stays", "www 600 AAAA 2001:db8::10\n", ""},
	{"TTL changes", "dname 900 DNAME target\n", "dname 901 DNAME target\n"},
	{"type changes", "chain-wild CNAME any.wild\n", "chain-wild A 192.0.2.203\n"},
	{"delegation added", "", "newcut NS ns.newcut\nnewcut NS www\nns.newcut A 192.0.2.202\n"},
	{"delegation added above names", "sip A 192.0.2.50\n", "sip A 192.0.2.50\ndeep NS www\n"},
	{"delegation removed, its glue stays", "cut.ent NS ns.cut.ent\n", ""},
	{"delegation removed with its glue", "self NS self\nself A 192.0.2.94\n", ""},
	{"glue changes", "ns1.cut 1200 A 192.0.2.90\n", "ns1.cut 1200 A 192.0.2.190\n"},
	{"delegation becomes insecure", "cut 1200 DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n", ""},
	{"wildcard added", "", "*.names A 192.0.2.204\n"},
	{"wildcard removed", "*.star.wild A 192.0.2.72\n", ""},
	{"apex changes", "@ 7200 NS NS2\n", "@ MX 30 mail\n"},
	{"unknown type changes", "unknown TYPE65280 \\# 4 0a000001\n", "unknown TYPE65280 \\# 4 0a000002\n"},
	{"DNAME comes", "", "newname DNAME www\n"},
}

// edited is the small zone with changes. It lacks the one record without RDATA:
// NSD 4.6 makes no differences of a zone that has such.
func edited(t *testing.T, name string, serial uint32, edits ...edit) string {
	t.Helper()
	text := harness.ZoneSmall(name, serial)
	for _, e := range append([]edit{{"no RDATA", "unknown-empty TYPE65281 \\# 0\n", ""}}, edits...) {
		if e.old == "" {
			text += e.new
			continue
		}
		if !strings.Contains(text, e.old) {
			t.Fatalf("%s: no record to change: %s", e.name, e.old)
		}
		text = strings.Replace(text, e.old, e.new, 1)
	}
	return text
}

// transfers is how many transfers a daemon has counted.
type transfers struct{ axfr, ixfr, axfrFailed, ixfrFailed float64 }

// wantTransfers waits until as many transfers have ended well as wanted, and
// compares all with want, or one of several.
func wantTransfers(t *testing.T, d *harness.Daemon, want ...transfers) {
	t.Helper()
	var got transfers
	harness.Wait(t, func() bool {
		m := d.Client.Metrics(t)
		for counter, labels := range map[*float64][2]string{
			&got.axfr: {"axfr", "ok"}, &got.axfrFailed: {"axfr", "failed"},
			&got.ixfr: {"ixfr", "ok"}, &got.ixfrFailed: {"ixfr", "failed"},
		} {
			*counter, _ = m.Value("secondaryd_transfers_total", "kind", labels[0], "result", labels[1])
		}
		return got.axfr+got.ixfr >= want[0].axfr+want[0].ixfr
	}, "transfers to be counted")
	if !slices.Contains(want, got) {
		t.Errorf("transfers: got %+v, want %+v", got, want)
	}
}

// ixfrPeer makes a peer that is asked for differences.
func ixfrPeer(t *testing.T, d *harness.Daemon, addr netip.AddrPort, key *harness.Key) harness.Peer {
	t.Helper()
	p := harness.Peer{Name: "ixfr", IP: addr.Addr().String(), Port: int(addr.Port()), IXFR: true}
	if key != nil {
		p.TSIGID = d.Client.CreateTSIG(t, *key).ID
	}
	return d.Client.CreatePeer(t, p)
}

// notify tells a secondary on this machine of a change, as its primary would.
func notify(t *testing.T, secondary netip.AddrPort, name string) {
	t.Helper()
	if rcode := harness.Notify(t, secondary.Addr(), secondary, name, nil); rcode != dns.RcodeSuccess {
		t.Fatalf("NOTIFY of %s is answered with %s", name, dns.RcodeToString[rcode])
	}
}

// update tells the daemon of a change until it serves it. Once may not be enough:
// see harness.Server.WaitSettled.
func update(t *testing.T, d *harness.Daemon, name string, serial uint32) {
	t.Helper()
	notify(t, d.DNS, name)
	again := time.NewTicker(time.Second)
	defer again.Stop()
	harness.Wait(t, func() bool {
		select {
		case <-again.C:
			notify(t, d.DNS, name)
		default:
		}
		got, ok := harness.Serial(d.DNS, name)
		return ok && got == serial
	}, fmt.Sprintf("%s to have serial %d", name, serial))
}
