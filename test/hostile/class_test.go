package hostile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

// class is one way in which a primary does wrong with a newer version of its
// zone, and what is to come of it.
type class struct {
	name   string
	script func(zone string) primary.Script
	// change makes the newer version, nil for a plain one.
	change func(zone string) func([]dns.RR) []dns.RR
	// ixfr is the cause for which the differences did not do and the whole zone
	// was asked for at once, empty where none are asked for.
	ixfr string
	// step and cause are what the operator is told. Empty: the wrong is put up
	// with and the newer version is served.
	step, cause string
	detail      string // part of the error's text
	// records is how many the newer version has, plainRecords if it is 0.
	records int
	// patience is how long the refusal may take, if that is long.
	patience time.Duration
	// also looks closer at what is served in the end, if it is not nil.
	also func(t *testing.T, d *harness.Daemon, zone string)
}

// always is the script of a class that is the same for all zones.
func always(s primary.Script) func(string) primary.Script {
	return func(string) primary.Script { return s }
}

// onAXFR is such a script for AXFR alone.
func onAXFR(s primary.Script) func(string) primary.Script { return always(primary.On(dns.TypeAXFR, s)) }

// onSOA is such a script for the SOA query alone.
func onSOA(s primary.Script) func(string) primary.Script { return always(primary.On(dns.TypeSOA, s)) }

// sending sends an AXFR of what change makes of the honest records, SOA first
// and last.
func sending(change func(zone string, records []dns.RR) []dns.RR) func(string) primary.Script {
	return func(zone string) primary.Script {
		return primary.On(dns.TypeAXFR, primary.With(func(records []dns.RR) []dns.RR { return change(zone, records) }))
	}
}

// planting sends an AXFR that has such a record before its last one. The zone's
// name is the argument of the format.
func planting(format string) func(string) primary.Script {
	return sending(func(zone string, records []dns.RR) []dns.RR {
		return slices.Insert(records, len(records)-1, record(format, zone))
	})
}

// stage is where one class is played.
type stage struct {
	class
	daemon  *harness.Daemon
	primary *upstream
	peer    harness.Peer
	old     uint32 // serial served before
	next    uint32 // serial of the newer version
	from    int    // the line of the log with which it began
	axfrs   int    // transfers that the primary was asked for before
}

// play plays the classes against one daemon. All primaries turn bad before the
// first result is waited for.
func play(t *testing.T, d *harness.Daemon, signed bool, classes []class) {
	t.Helper()
	var stages []*stage
	for i, c := range classes {
		stages = append(stages, arrange(t, d, c, fmt.Sprintf("class%02d.test.", i), signed))
	}
	for _, s := range stages {
		harness.WaitSerial(t, d.DNS, s.primary.zone, s.old)
	}
	for _, s := range stages {
		s.strike(t)
	}
	for _, s := range stages {
		t.Run(s.name, func(t *testing.T) {
			if s.ixfr != "" {
				s.wantFallback(t)
			}
			if s.cause != "" {
				s.wantRefusal(t)
				s.primary.wantVersion(t, d, s.old)
				s.recover(t)
			}
			s.wantNewest(t)
		})
	}
}

func arrange(t *testing.T, d *harness.Daemon, c class, zone string, signed bool) *stage {
	t.Helper()
	keyName := ""
	p := harness.Peer{Name: "p", IP: loopback.String(), IXFR: c.ixfr != ""}
	if signed {
		keyName, p.TSIGID = key.Name, d.Client.CreateTSIG(t, key).ID
	}
	s := &stage{class: c, daemon: d, primary: startPrimary(t, "", zone, keyName, lazy), old: 1}
	p.Port = int(s.primary.Addr().Port())
	s.peer = d.Client.CreatePeer(t, p)
	d.Zone(t, zone, s.peer)
	return s
}

// versions is how many versions the primary is ahead, so that the differences
// are a chain.
const versions = 3

// strike gives the primary newer versions, turns it bad and has the daemon come.
func (s *stage) strike(t *testing.T) {
	t.Helper()
	for range versions - 1 {
		s.primary.bump(t, nil)
	}
	var change func([]dns.RR) []dns.RR
	if s.change != nil {
		change = s.change(s.primary.zone)
	}
	s.next = s.primary.bump(t, change)
	s.primary.Script(s.script(s.primary.zone))
	s.from, s.axfrs = s.daemon.Log.Len(), s.primary.Seen(s.primary.zone, dns.TypeAXFR)
	s.primary.notify(t, s.daemon)
}

// wantFallback waits for the differences to be given up for the whole zone,
// which the same primary must have been asked for.
func (s *stage) wantFallback(t *testing.T) {
	t.Helper()
	line := s.daemon.Log.WaitFrom(t, s.from, event("incremental transfer failed: the whole zone was asked for", s.primary.zone), "the fallback")
	if line.Text("cause") != s.ixfr || line.Text("peer") != s.primary.Addr().String() {
		t.Errorf("fell back for %q with %s\n%s", line.Text("cause"), line.Text("peer"), line.Text("error"))
	}
	if got := s.primary.Seen(s.primary.zone, dns.TypeAXFR) - s.axfrs; got != 1 {
		t.Errorf("the whole zone was asked for %d times, want once", got)
	}
}

// patience is how long a refusal is waited for, unless its class needs longer.
const patience = 20 * time.Second

// wantRefusal waits for the refusal and looks at what the operator is told.
func (s *stage) wantRefusal(t *testing.T) {
	t.Helper()
	var lines []harness.Entry
	harness.WaitFor(t, cmp.Or(s.patience, patience), func() bool {
		lines = s.daemon.Log.Find(s.from, event("peer failed", s.primary.zone))
		return len(lines) > 0
	}, "log line: peer failed")
	line := lines[0]
	if line.Text("step") != s.step || line.Text("cause") != s.cause {
		t.Errorf("got %s: %s\nwant %s: %s\n%s", line.Text("step"), line.Text("cause"), s.step, s.cause, line.Text("error"))
	}
	if !strings.Contains(line.Text("error"), s.detail) {
		t.Errorf("the error does not speak of %s: %s", s.detail, line.Text("error"))
	}
	if line.Text("peer") != s.primary.Addr().String() || line.Text("serial") != fmt.Sprint(s.old) {
		t.Errorf("the line tells of peer %q and serial %q: %v", line.Text("peer"), line.Text("serial"), line)
	}
	if next, err := time.Parse(time.RFC3339, line.Text("next_try")); err != nil || time.Until(next) < -time.Minute {
		t.Errorf("next_try is %q, %v", line.Text("next_try"), err)
	}
	harness.Wait(t, func() bool {
		_, told := s.daemon.Client.Metrics(t).Value("secondaryd_zone_peer_failing", "zone", s.primary.zone,
			"peer", s.primary.Addr().String(), "step", line.Text("step"), "cause", line.Text("cause"))
		return told
	}, "zone_peer_failing like the log")
	if n, _ := s.daemon.Client.Metrics(t).Value("secondaryd_refresh_failures_total", "step", s.step, "cause", s.cause); n < 1 {
		t.Errorf("refresh_failures_total of %s: %s is %v", s.step, s.cause, n)
	}
}

// recover has the primary behave again.
func (s *stage) recover(t *testing.T) {
	t.Helper()
	s.primary.Script(nil)
	if s.change != nil { // the version itself was the wrong
		s.next = s.primary.bump(t, func(records []dns.RR) []dns.RR {
			soa := records[0].(*dns.SOA)
			soa.Serial = s.old + versions + 1
			records = slices.DeleteFunc(records, func(rr dns.RR) bool { return strings.Contains(rr.Header().Name, planted) })
			records[len(records)-1] = version(s.primary.zone, soa.Serial)
			return records
		})
		s.records = 0
	}
	s.primary.notify(t, s.daemon)
}

// wantNewest waits for the newer version and nothing else to be served.
func (s *stage) wantNewest(t *testing.T) {
	t.Helper()
	harness.WaitSerial(t, s.daemon.DNS, s.primary.zone, s.next)
	s.primary.wantVersion(t, s.daemon, s.next)
	harness.Wait(t, func() bool {
		return len(s.daemon.Client.Metrics(t).Find("secondaryd_zone_peer_failing", "zone", s.primary.zone)) == 0
	}, "zone_peer_failing to end")
	want := float64(max(s.records, plainRecords))
	if got, _ := s.daemon.Client.Metrics(t).Value("secondaryd_zone_records", "zone", s.primary.zone); got != want {
		t.Errorf("serves %v records, want %v", got, want)
	}
	if s.also != nil {
		s.also(t, s.daemon, s.primary.zone)
	}
}
