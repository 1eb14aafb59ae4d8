package interop

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"secondaryd/test/harness"
)

// order sends a request about the incoming zone and reads its result.
func order[T any](t *testing.T, d *harness.Daemon, method, zone, what string, body any) (result T) {
	t.Helper()
	a, err := d.Client.Do(method, "/zones/"+harness.ZoneID(zone)+"/secondary_dns/incoming/"+what, body)
	if err != nil || !a.Success {
		t.Fatalf("%s %s: %v %+v", method, what, err, a)
	}
	if err := json.Unmarshal(a.Result, &result); err != nil {
		t.Fatalf("%s %s: %v", method, what, err)
	}
	return result
}

type version struct {
	Serial uint32 `json:"soa_serial"`
	State  string `json:"state"`
}

func wantVersions(t *testing.T, d *harness.Daemon, zone string, want ...version) {
	t.Helper()
	if got := order[[]version](t, d, "GET", zone, "versions", nil); !slices.Equal(got, want) {
		t.Errorf("versions: got %v, want %v", got, want)
	}
}

type diff struct {
	Changes []struct {
		Change, Name, Type, Data string
		TTL                      uint32
	}
}

// wantDiff compares the differences that the daemon tells between two versions
// with what the primary transferred of them.
func wantDiff(t *testing.T, d *harness.Daemon, zone string, from, to uint32, came map[uint32][]record) {
	t.Helper()
	var want, got []string
	for _, r := range came[from] {
		if !slices.Contains(came[to], r) {
			want = append(want, "removed "+r.String())
		}
	}
	for _, r := range came[to] {
		if !slices.Contains(came[from], r) {
			want = append(want, "added "+r.String())
		}
	}
	for _, c := range order[diff](t, d, "GET", zone, fmt.Sprintf("versions/%d/diff?to=%d", from, to), nil).Changes {
		got = append(got, c.Change+" "+recordOf(t, fmt.Sprintf("%s %d IN %s %s", c.Name, c.TTL, c.Type, c.Data)).String())
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) || len(got) == 0 {
		t.Errorf("from %d to %d: got\n%s\nwant\n%s", from, to, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// recordOf reads a record in presentation form.
func recordOf(t *testing.T, text string) record {
	t.Helper()
	rr, err := dns.NewRR(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var wire [dns.MaxMsgSize]byte
	end, err := dns.PackRR(rr, wire[:], 0, nil, false)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	name, at, err := dns.UnpackDomainName(wire[:end], 0)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	h := rr.Header()
	return record{strings.ToLower(name), h.Rrtype, h.Class, h.Ttl, string(wire[at+10 : end])}
}

// TestInteropRollback has three versions come from a real primary, tells what
// they changed, and goes back to the second: what is served is that, octet for
// octet, over NOTIFY and kill -9, until the third is released. Gone back once
// more, the fourth is taken.
func TestInteropRollback(t *testing.T) {
	t.Parallel()
	for _, o := range origins {
		for _, ixfr := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, IXFR %v", o.name, ixfr), func(t *testing.T) {
				t.Parallel()
				testRollback(t, o.start, ixfr)
			})
		}
	}
}

func testRollback(t *testing.T, start func(*testing.T, harness.ServerOptions) origin, ixfr bool) {
	t.Helper()
	const name = "rollback.test."
	texts := []string{"", edited(t, name, 1), edited(t, name, 2, edits[:4]...), edited(t, name, 3, edits[2:]...), edited(t, name, 4, edits...)}
	primary := start(t, harness.ServerOptions{Zones: []harness.Zone{{Name: name, Text: texts[1], History: true}}})
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	peer := d.Peer(t, "p", primary.Addr, nil)
	peer.IXFR = ixfr
	d.Zone(t, name, d.Client.PutPeer(t, peer))
	harness.WaitSerial(t, d.DNS, name, 1)
	came := map[uint32][]record{1: transfer(t, primary.Addr, name, nil)}
	for serial := uint32(2); serial <= 3; serial++ {
		primary.reload(t, name, texts[serial], serial)
		update(t, d, name, serial)
		came[serial] = transfer(t, primary.Addr, name, nil)
	}
	second := newZone(name, came[2])
	wantVersions(t, d, name, version{3, "served"}, version{2, "kept"}, version{1, "kept"})
	wantDiff(t, d, name, 2, 3, came)
	wantDiff(t, d, name, 3, 1, came)

	wantSecond := func() {
		t.Helper()
		for _, r := range second.records {
			if second.hidden(r) {
				continue
			}
			m, err := harness.Query(d.DNS, "tcp", r.owner, r.rtype)
			if err != nil || !slices.ContainsFunc(slices.Concat(m.Answer, m.Ns, m.Extra), func(rr dns.RR) bool { return recordOf(t, rr.String()) == r }) {
				t.Fatalf("%s is not in the answer: %v, %v", r, m, err)
			}
		}
		if serial, _ := harness.Serial(d.DNS, name); serial != 2 {
			t.Fatalf("serves serial %d, want 2", serial)
		}
		wantVersions(t, d, name, version{3, "held"}, version{2, "served"}, version{1, "kept"})
		wantDiff(t, d, name, 2, 3, came)
	}
	if to := order[version](t, d, "POST", name, "rollback", nil); to.Serial != 2 {
		t.Errorf("rolled back to %d", to.Serial)
	}
	wantSecond()
	checked(t, d, name)
	wantSecond()
	d.Kill()
	d.Start(t)
	checked(t, d, name)
	wantSecond()

	order[string](t, d, "POST", name, "release", version{Serial: 3})
	harness.WaitSerial(t, d.DNS, name, 3)
	check(t, d.DNS, primary.Server, name, nil, 1)
	order[version](t, d, "POST", name, "rollback", version{Serial: 1})
	checked(t, d, name)
	if serial, _ := harness.Serial(d.DNS, name); serial != 1 {
		t.Errorf("serves serial %d, want 1", serial)
	}
	primary.reload(t, name, texts[4], 4)
	update(t, d, name, 4)
	check(t, d.DNS, primary.Server, name, nil, 1)
	wantVersions(t, d, name, version{4, "served"}, version{1, "kept"}, version{3, "kept"})
}

// checked has the daemon ask the primary, and waits until it has.
func checked(t *testing.T, d *harness.Daemon, name string) {
	t.Helper()
	before := d.Client.GetIncoming(t, name).CheckedTime
	notify(t, d.DNS, name)
	harness.Wait(t, func() bool { return d.Client.GetIncoming(t, name).CheckedTime != before }, "the primary to be asked")
}
