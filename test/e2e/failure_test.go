package e2e

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/test/harness"
)

// failure is one way in which a peer can fail.
type failure struct {
	name  string
	steps []string // one of these must be named
	spoil func(p *harness.Peer)
}

// reason is what the operator was told.
type reason struct{ step, cause string }

// failures plays one failure after the other with a zone that is served all the
// time. next gives the zone at the primary another serial and returns it.
type failures struct {
	daemon *harness.Daemon
	zone   string
	peer   harness.Peer // as it is right
	serial uint32       // held
	next   func(serial uint32)
}

// play lets the peer fail, looks at what the daemon says and serves, and puts
// the peer right.
func (f *failures) play(t *testing.T, c failure) reason {
	t.Helper()
	f.next(f.serial + 1)
	from := f.daemon.Log.Len()
	bad := f.peer
	c.spoil(&bad)
	f.daemon.Client.PutPeer(t, bad)
	line := f.daemon.Log.WaitFrom(t, from, event("peer failed", f.zone), "peer failed: "+c.name)

	if serial, ok := harness.Serial(f.daemon.DNS, f.zone); !ok || serial != f.serial {
		t.Errorf("%s: serves serial %d, %v, want the old version %d", c.name, serial, ok, f.serial)
	}
	f.checkLine(t, c, bad, line)
	if strings.Contains(c.name, "refused") && !strings.Contains(line.Text("cause"), "refuse") {
		t.Errorf("%s: the cause does not say so: %s", c.name, line.Text("cause"))
	}
	f.checkMetric(t, c, from)

	f.daemon.Client.PutPeer(t, f.peer)
	f.serial++
	harness.WaitSerial(t, f.daemon.DNS, f.zone, f.serial)
	harness.Wait(t, func() bool { return len(f.failing(t)) == 0 }, c.name+": the metric to end")
	return reason{line.Text("step"), line.Text("cause")}
}

func (f *failures) checkLine(t *testing.T, c failure, bad harness.Peer, line harness.Entry) {
	t.Helper()
	want := netip.AddrPortFrom(netip.MustParseAddr(bad.IP), uint16(bad.Port)).String()
	if got := line.Text("peer"); got != want {
		t.Errorf("%s: peer is %q, want %q", c.name, got, want)
	}
	if got := line.Text("step"); !slices.Contains(c.steps, got) {
		t.Errorf("%s: step is %q, want one of %q", c.name, got, c.steps)
	}
	if !strings.Contains(line.Text("cause"), " ") || line.Text("error") == "" {
		t.Errorf("%s: cause in words and error are wanted: %v", c.name, line)
	}
	if got := line.Text("serial"); got != fmt.Sprint(f.serial) {
		t.Errorf("%s: serial is %s, want the one held, %d", c.name, got, f.serial)
	}
	next, err := time.Parse(time.RFC3339, line.Text("next_try"))
	if err != nil || time.Until(next) < -time.Minute {
		t.Errorf("%s: next_try is %q, %v", c.name, line.Text("next_try"), err)
	}
	if strings.Contains(fmt.Sprint(line), key.Secret) {
		t.Errorf("%s: the line holds the secret", c.name)
	}
}

// checkMetric wants the metric of the zone to say what the last line of the log
// says.
func (f *failures) checkMetric(t *testing.T, c failure, from int) {
	t.Helper()
	var lines []harness.Entry
	var found []harness.Sample
	harness.Wait(t, func() bool {
		found = f.failing(t)
		lines = f.daemon.Log.Find(from, event("peer failed", f.zone))
		return len(found) == 1 && matches(found[0], lines[len(lines)-1])
	}, fmt.Sprintf("%s: one zone_peer_failing like the log", c.name))
}

func matches(s harness.Sample, line harness.Entry) bool {
	for _, label := range []string{"zone", "peer", "step", "cause"} {
		if s.Labels[label] != line.Text(label) {
			return false
		}
	}
	next, err := time.Parse(time.RFC3339, line.Text("next_try"))
	return err == nil && next.Sub(time.Unix(int64(s.Value), 0)).Abs() <= 2*time.Second
}

// failing are the samples of the zone's failing peers.
func (f *failures) failing(t *testing.T) []harness.Sample {
	t.Helper()
	all := f.daemon.Client.Metrics(t).Find("secondaryd_zone_peer_failing")
	return slices.DeleteFunc(all, func(s harness.Sample) bool { return !sameName(s.Labels["zone"], f.zone) })
}

// distinct fails the test when two failures have the same cause.
func distinct(t *testing.T, reasons map[string]reason) {
	t.Helper()
	names := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(reasons)) {
		r := reasons[name]
		t.Logf("%-16s %-8s %s", name, r.step, r.cause)
		if other, ok := names[r.cause]; ok {
			t.Errorf("%s and %s have the same cause: %s", name, other, r.cause)
		}
		names[r.cause] = name
	}
}

// keyFailures are those that a real primary shows by itself.
func keyFailures(t *testing.T, d *harness.Daemon) []failure {
	t.Helper()
	wrong := func(change func(*harness.Key)) func(*harness.Peer) {
		k := key
		change(&k)
		id := d.Client.CreateTSIG(t, k).ID
		return func(p *harness.Peer) { p.TSIGID = id }
	}
	return []failure{
		{"wrong key name", []string{"TSIG"}, wrong(func(k *harness.Key) { k.Name = "another.key." })},
		{"wrong secret", []string{"TSIG"}, wrong(func(k *harness.Key) { k.Secret = "YW5vdGhlciBzZWNyZXQ=" })},
		// NSD takes any algorithm for the SOA and refuses the AXFR.
		{"wrong algorithm", []string{"TSIG", "AXFR"}, wrong(func(k *harness.Key) { k.Algorithm = dns.HmacSHA512 })},
		{"refused", []string{"AXFR"}, func(p *harness.Peer) { p.TSIGID = "" }},
		{"unreachable", []string{"connect"}, closedPort(t)},
	}
}

func closedPort(t *testing.T) func(*harness.Peer) {
	t.Helper()
	nowhere := harness.FreeAddr(t)
	return func(p *harness.Peer) { p.Port = int(nowhere.Port()) }
}

func TestFailureReasonsOfRealPrimaries(t *testing.T) {
	t.Parallel()
	for _, p := range harness.Primaries {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			text := func(serial uint32) string {
				return "$ORIGIN " + zoneName + "\n" + zoneText(serial, lazy)
			}
			server := p.Start(t, harness.ServerOptions{
				Zones: []harness.Zone{{Name: zoneName, Text: text(1), Key: key.Name}},
				Keys:  []harness.Key{key},
			})
			d := harness.StartDaemon(t, harness.DaemonOptions{})
			f := &failures{daemon: d, zone: zoneName, serial: 1, peer: d.Peer(t, "p", server.Addr, &key)}
			f.next = func(serial uint32) { server.Reload(t, zoneName, text(serial), serial) }
			d.Zone(t, zoneName, f.peer)
			harness.WaitSerial(t, d.DNS, zoneName, 1)
			reasons := make(map[string]reason)
			for _, c := range keyFailures(t, d) {
				reasons[c.name] = f.play(t, c)
			}
			distinct(t, reasons)
		})
	}
}

// TestKeyPutRight has a zone with no copy, for its key has the wrong secret, and
// a PUT of the key that is tried at once.
func TestKeyPutRight(t *testing.T) {
	t.Parallel()
	u := primaryOf(t, zoneName, key.Name, lazy)
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	wrong := key
	wrong.Secret = "YW5vdGhlciBzZWNyZXQ="
	peer := d.Peer(t, "p", u.Addr(), &wrong)
	d.Zone(t, zoneName, peer)
	d.WaitLog(t, event("peer failed", zoneName), "peer failed")
	harness.WaitRcode(t, d.DNS, zoneName, dns.RcodeServerFailure)
	d.Client.PutTSIG(t, peer.TSIGID, key)
	harness.WaitSerial(t, d.DNS, zoneName, 1)
}
