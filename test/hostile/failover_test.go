package hostile

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

// firstPeers are first peers that must not hide the second, which has a newer
// version.
var firstPeers = []struct {
	name    string
	spoil   func(t *testing.T, first *upstream)
	failing bool // it is told of as a peer that failed
}{
	{"dead", func(_ *testing.T, first *upstream) { first.Stop() }, true},
	{"silent", scripted(primary.Silence), true},
	{"refusing", scripted(primary.Rcode(dns.RcodeRefused)), true},
	{"without authority", scripted(primary.Each(func(_, _ int, m *dns.Msg) *dns.Msg { m.Authoritative = false; return m })), true},
	{"stale", scripted(primary.WithSerial(0)), true},
	{"with our own version", scripted(primary.WithSerial(1)), false},
	{"promising and cutting", newer(primary.CutAfter(2)), true},
	{"promising and stalling", newer(primary.StallAfter(2)), true},
	{"promising and refusing", newer(primary.Rcode(dns.RcodeRefused)), true},
	{"promising and stale", newer(primary.WithSerial(1)), true},
}

// scripted has the first peer play a script.
func scripted(s primary.Script) func(*testing.T, *upstream) {
	return func(_ *testing.T, first *upstream) { first.Script(s) }
}

// newer is a peer that has a newer version and plays a script when it is asked
// for it.
func newer(axfr primary.Script) func(*testing.T, *upstream) {
	return func(t *testing.T, first *upstream) {
		t.Helper()
		first.bump(t, nil)
		first.Script(primary.On(dns.TypeAXFR, axfr))
	}
}

// TestFirstPeer has the second peer serve what the first one does not.
func TestFirstPeer(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{Config: quick})
	second, serials := make([]*upstream, len(firstPeers)), make([]uint32, len(firstPeers))
	for i, c := range firstPeers {
		zone := fmt.Sprintf("peers%d.test.", i)
		first := startPrimary(t, "", zone, "", lazy)
		second[i] = startPrimary(t, "", zone, "", lazy)
		d.Zone(t, zone, d.Peer(t, "first", first.Addr(), nil), d.Peer(t, "second", second[i].Addr(), nil))
		harness.WaitSerial(t, d.DNS, zone, 1)
		c.spoil(t, first)
		second[i].bump(t, nil)
		serials[i] = second[i].bump(t, nil)
	}
	from := d.Log.Len()
	for _, u := range second {
		u.notify(t, d)
	}
	for i, c := range firstPeers {
		t.Run(c.name, func(t *testing.T) {
			u := second[i]
			harness.WaitSerial(t, d.DNS, u.zone, serials[i])
			u.wantVersion(t, d, serials[i])
			line := d.WaitLog(t, transferred(u.zone, serials[i]), "zone transferred")
			if got, want := line.Text("peer"), u.Addr().String(); got != want {
				t.Errorf("transferred from %s, want %s", got, want)
			}
			failed := d.Log.Find(from, event("peer failed", u.zone))
			if c.failing != (len(failed) == 1) {
				t.Errorf("told of as failed: %v", failed)
			}
		})
	}
}

// TestNotifierFirst: the peer that sent the NOTIFY is asked before others.
func TestNotifierFirst(t *testing.T) {
	t.Parallel()
	const zone = "notifier.test."
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	addr := netip.MustParseAddr("127.0.0.9")
	silent, notifier := startPrimary(t, "", zone, "", lazy), startPrimary(t, netip.AddrPortFrom(addr, 0).String(), zone, "", lazy)
	d.Zone(t, zone, d.Peer(t, "silent", silent.Addr(), nil), d.Peer(t, "notifier", notifier.Addr(), nil))
	harness.WaitSerial(t, d.DNS, zone, 1)
	silent.Script(primary.Silence)
	asked := silent.Seen(zone, dns.TypeSOA)
	serial := notifier.bump(t, nil)
	harness.Notify(t, addr, d.DNS, zone, nil)
	harness.WaitSerial(t, d.DNS, zone, serial)
	if got := silent.Seen(zone, dns.TypeSOA); got != asked {
		t.Errorf("the silent peer was asked %d times first", got-asked)
	}
}

// storms are primaries that fail every time.
var storms = []struct {
	name  string
	spoil func(t *testing.T, u *upstream)
	// questions is the most that one try may cost the primary.
	questions int
	empty     bool // the zone never had a copy
}{
	{name: "dead", spoil: func(_ *testing.T, u *upstream) { u.Stop() }},
	{name: "refusing", spoil: scripted(primary.Rcode(dns.RcodeRefused)), questions: 1},
	{name: "failing", spoil: scripted(primary.Rcode(dns.RcodeServerFailure)), questions: 1},
	{name: "silent", spoil: scripted(primary.Silence), questions: 3}, // twice by UDP, once by TCP
	{name: "cutting", spoil: newer(primary.CutAfter(2)), questions: 2},
	{name: "not understanding", spoil: newer(primary.Rcode(dns.RcodeFormatError)), questions: 3},
	{name: "refusing from the start", spoil: scripted(primary.Rcode(dns.RcodeRefused)), questions: 1, empty: true},
}

const (
	impatient = 1 // the least retry that a SOA can ask for, in seconds
	retry     = impatient * time.Second
	emptyWait = 2 * time.Second // before the first retry of a zone without a copy
	tries     = 3
)

// TestRetryStorm counts what a primary that fails again and again has to bear,
// though its SOA asks for a retry each second.
func TestRetryStorm(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{Config: "transfer:\n  first_message_timeout: 500ms\n"})
	all, asked := make([]*upstream, len(storms)), make([]int, len(storms))
	for i, c := range storms {
		u := startPrimary(t, "", fmt.Sprintf("storm%d.test.", i), "", impatient)
		all[i] = u
		if c.empty {
			c.spoil(t, u)
		}
		d.Zone(t, u.zone, d.Peer(t, c.name, u.Addr(), nil))
		if c.empty {
			continue
		}
		harness.WaitSerial(t, d.DNS, u.zone, 1)
		c.spoil(t, u)
		asked[i] = u.questions()
		u.notify(t, d)
	}
	for i, c := range storms {
		t.Run(c.name, func(t *testing.T) {
			u, wait := all[i], retry
			if c.empty {
				wait = emptyWait
			}
			var lines []harness.Entry
			harness.Wait(t, func() bool {
				lines = d.Log.Find(0, event("peer failed", u.zone))
				return len(lines) >= tries
			}, "three tries")
			// Each wait is twice the one before, 10 % less by chance.
			for k := range tries - 1 {
				if got := written(t, lines[k+1]).Sub(written(t, lines[k])); got < wait*9/10-time.Millisecond {
					t.Errorf("try %d came %v after the one before, want %v", k+2, got, wait)
				}
				wait *= 2
			}
			// The next try may have begun already.
			if got := u.questions() - asked[i]; got > c.questions*(len(d.Log.Find(0, event("peer failed", u.zone)))+1) {
				t.Errorf("%d questions in %d tries, want %d in each", got, tries, c.questions)
			}
			if c.empty {
				harness.WaitRcode(t, d.DNS, u.zone, dns.RcodeServerFailure)
				return
			}
			u.wantVersion(t, d, 1)
		})
	}
}

// questions are all that the primary was asked.
func (u *upstream) questions() int {
	return u.Seen(u.zone, dns.TypeSOA) + u.Seen(u.zone, dns.TypeAXFR) + u.Seen(u.zone, dns.TypeIXFR)
}

// written is when a line of the log was.
func written(t *testing.T, line harness.Entry) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, line.Text("time"))
	if err != nil {
		t.Fatal(err)
	}
	return at
}
