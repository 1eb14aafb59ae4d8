package transfer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/internal/tsig"
	"secondaryd/internal/wiretest"
	"secondaryd/zonestore"
	"secondaryd/zonestore/registry"
	"secondaryd/zonestore/zone"
)

// examined runs an examination of a peer and returns its findings.
func examined(t *testing.T, p peer, copied *zone.Zone) Diagnosis {
	t.Helper()
	view := &zonestore.View{}
	if copied != nil {
		view = &zonestore.View{State: zonestore.StateServing, Zone: copied, Serial: copied.Serial()}
	}
	d := newDiagnoses(new(net.Dialer).DialContext, defaultLimits(), testSeed)
	x := &examination{client: d.client(), peer: p, apex: wiretest.Name(t, testZone), view: view, tell: func(Diagnosis) {}}
	x.run(t.Context())
	return x.result()
}

// wantFindings compares the outcomes of the steps that are not ok, as "step:
// cause" for those that failed and "step" for those that were skipped.
func wantFindings(t *testing.T, d Diagnosis, want ...string) {
	t.Helper()
	var got []string
	for _, f := range d.Findings {
		switch f.Outcome {
		case OutcomeOK:
			continue
		case OutcomeFailed:
			got = append(got, f.Name+": "+string(f.Cause))
			if f.Advice == "" {
				t.Errorf("%s: nothing says what to do about: %s", f.Name, f.Cause)
			}
		default:
			got = append(got, f.Name)
			if f.Detail == "" {
				t.Errorf("%s was skipped for nothing", f.Name)
			}
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q\n%+v", got, want, d.Findings)
	}
}

// finding returns the one of that name.
func (d Diagnosis) finding(name string) Finding {
	i := slices.IndexFunc(d.Findings, func(f Finding) bool { return f.Name == name })
	return d.Findings[i]
}

func TestDiagnosisOfHonestPeer(t *testing.T) {
	t.Parallel()
	_, _, p, base := primaryOf(t, true)
	d := examined(t, p, base)
	wantFindings(t, d, "tls")
	for name, want := range map[string]string{
		"soa_udp": "serial 8", "soa_tcp": "serial 8", "tsig": "k.test. (hmac-sha256)", "clock": "ours",
		"axfr": "serial 8 begins", "ixfr": "differences from our serial 7 to 8", "serial": "theirs is 8; ours is 7: theirs will be transferred",
	} {
		if got := d.finding(name).Detail; !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
	if d.Skew == nil || d.Skew.Abs() > 2*time.Second || d.Address != p.addr.String() {
		t.Errorf("clock %v, address %s", d.Skew, d.Address)
	}

	// Without a copy there is nothing to compare with.
	d = examined(t, p, nil)
	wantFindings(t, d, "tls", "ixfr")
	if got := d.finding("serial").Detail; got != "theirs is 8; there is no copy here yet" {
		t.Errorf("serial: %s", got)
	}
}

// silentUDP answers by TCP alone.
func silentUDP(script primary.Script) primary.Script {
	return func(e *primary.Exchange) error {
		if e.Network == "udp" {
			return e.Stall()
		}
		return script(e)
	}
}

func TestDiagnosisNamesTheFault(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		key    bool
		script primary.Script
		want   []string
	}{
		{"silence", false, primary.Silence, []string{
			"soa_udp: " + string(CauseNoAnswer), "tls", "soa_tcp: " + string(CauseNoAnswer), "authority", "tsig", "clock", "axfr", "ixfr", "serial",
		}},
		{"no UDP", false, silentUDP(primary.Honest), []string{"soa_udp: " + string(CauseNoAnswer), "tls", "tsig", "clock"}},
		{"refused", false, primary.Rcode(dns.RcodeRefused), []string{
			"soa_udp: " + string(CauseRefused), "tls", "soa_tcp: " + string(CauseRefused), "authority", "tsig", "clock",
			"axfr: " + string(CauseRefused), "ixfr: " + string(CauseRefused), "serial",
		}},
		{"AXFR refused", false, primary.On(dns.TypeAXFR, primary.Rcode(dns.RcodeRefused)), []string{"tls", "tsig", "clock", "axfr: " + string(CauseRefused)}},
		{"AXFR NOTAUTH", false, primary.On(dns.TypeAXFR, primary.Rcode(dns.RcodeNotAuth)), []string{"tls", "tsig", "clock", "axfr: " + string(CauseRefused)}},
		{"AXFR cut", false, primary.On(dns.TypeAXFR, (*primary.Exchange).Cut), []string{"tls", "tsig", "clock", "axfr: " + string(CauseClosed)}},
		{"IXFR refused", false, primary.On(dns.TypeIXFR, primary.Rcode(dns.RcodeRefused)), []string{"tls", "tsig", "clock", "ixfr: " + string(CauseRefused)}},
		{"IXFR not known", false, primary.On(dns.TypeIXFR, primary.Rcode(dns.RcodeNotImplemented)), []string{"tls", "tsig", "clock", "ixfr: " + string(CauseNotImp)}},
		{"IXFR cut", false, primary.On(dns.TypeIXFR, primary.CutAfter(1)), []string{"tls", "tsig", "clock", "ixfr: " + string(CauseCut)}},
		{"no authority", false, primary.On(dns.TypeSOA, primary.Each(func(_, _ int, m *dns.Msg) *dns.Msg {
			m.Authoritative = false
			return m
		})), []string{"tls", "authority: " + string(CauseLame), "tsig", "clock"}},
		{"older", false, primary.WithSerial(5), []string{"tls", "tsig", "clock", "serial: " + string(CauseOlder)}},
		{"other id", false, silentUDP(primary.WrongID()), []string{
			"soa_udp: " + string(CauseNoAnswer), "tls", "soa_tcp: " + string(CauseNotDNS), "authority", "tsig", "clock", "axfr", "ixfr", "serial",
		}},
		{"other zone", false, primary.WrongZone("example.net."), []string{
			"soa_udp: " + string(CauseWrongZone), "tls", "soa_tcp: " + string(CauseWrongZone), "authority", "tsig", "clock",
			"axfr: " + string(CauseWrongZone), "ixfr: " + string(CauseWrongZone), "serial",
		}},
		{"unknown key", true, primary.TSIGError(dns.RcodeBadKey), []string{"tls", "authority", "tsig: " + string(CauseBadKey), "clock", "axfr", "ixfr", "serial"}},
		{"other secret", true, primary.TSIGError(dns.RcodeBadSig), []string{"tls", "authority", "tsig: " + string(CauseSecret), "clock", "axfr", "ixfr", "serial"}},
		{"unsigned", true, silentUDP(primary.Unsigned), []string{
			"soa_udp: " + string(CauseNoAnswer), "tls", "authority", "tsig: " + string(CauseUnsigned), "clock", "axfr", "ixfr", "serial",
		}},
		{"clock", true, silentUDP(primary.SignedAt(-10 * time.Minute)), []string{
			"soa_udp: " + string(CauseNoAnswer), "tls", "authority", "tsig: " + string(CauseClock), "clock: " + string(CauseClock), "axfr", "ixfr", "serial",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, _, p, base := primaryOf(t, c.key)
			s.Script(c.script)
			d := examined(t, p, base)
			wantFindings(t, d, c.want...)
			if c.name == "clock" && (d.Skew == nil || (*d.Skew+10*time.Minute).Abs() > 2*time.Second) {
				t.Errorf("clock %v", d.Skew)
			}
		})
	}
}

// What is wrong with our side of the key is told, too.
func TestDiagnosisOfKey(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, algorithm, secret string
		cause                   Cause
	}{
		{"other.test.", "hmac-sha256", testSecret, CauseBadKey},
		{"k.test.", "hmac-sha512", testSecret, CauseAlgorithm},
		{"k.test.", "hmac-sha256", "YW5vdGhlcg==", CauseSecret},
	} {
		t.Run(string(c.cause), func(t *testing.T) {
			t.Parallel()
			_, _, p, base := primaryOf(t, true)
			var err error
			if p.key, err = tsig.NewKey(c.name, c.algorithm, c.secret); err != nil {
				t.Fatal(err)
			}
			d := examined(t, p, base)
			wantFindings(t, d, "tls", "authority", "tsig: "+string(c.cause), "clock", "axfr", "ixfr", "serial")
			if strings.Contains(fmt.Sprint(d), c.secret) {
				t.Error("the secret is told")
			}
		})
	}
	_, _, p, base := primaryOf(t, true)
	p.key = nil
	wantFindings(t, examined(t, p, base), "tls", "tsig", "clock", "axfr: "+string(CauseRefused), "ixfr: "+string(CauseRefused))
}

// A clock that is off by less than TSIG allows is no fault, but told.
func TestDiagnosisOfClock(t *testing.T) {
	t.Parallel()
	s, _, p, base := primaryOf(t, true)
	s.Script(primary.SignedAt(2 * time.Minute))
	d := examined(t, p, base)
	wantFindings(t, d, "tls")
	if f := d.finding("clock"); !strings.Contains(f.Detail, "ahead of ours") || f.Advice == "" {
		t.Errorf("clock: %+v", f)
	}
}

// Of what is no DNS server nothing is told but that.
func TestDiagnosisOfSomethingElse(t *testing.T) {
	t.Parallel()
	const secret = "internal-service"
	for name, serve := range map[string]func(net.Conn){
		"a banner": func(conn net.Conn) { _, _ = conn.Write([]byte("220 " + secret + "\r\n")) },
		"a message": func(conn net.Conn) {
			_, _ = conn.Read(make([]byte, 512))
			_, _ = conn.Write(append([]byte{0, 32}, (secret + secret)[:32]...))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := examined(t, peer{addr: listen(t, serve), ixfr: true}, nil)
			if f := d.finding("soa_tcp"); f.Outcome != OutcomeFailed || name == "a message" && (f.Cause != CauseNotDNS || f.Detail != "") {
				t.Errorf("soa_tcp: %+v", f)
			}
			if text := fmt.Sprint(d); strings.Contains(text, "internal") || strings.Contains(text, "message id") {
				t.Errorf("too much is told: %s", text)
			}
		})
	}
}

func TestDiagnosisOfTLS(t *testing.T) {
	t.Parallel()
	w := newTLSWorld(t, nil)
	p := w.peer(t, registry.PeerTLS{Name: primaryName, CACertificate: w.ca.PEM()})
	wantFindings(t, examined(t, p, nil), "soa_udp", "tsig", "clock", "ixfr")
	p = w.peer(t, registry.PeerTLS{Name: "other.test", CACertificate: w.ca.PEM()})
	d := examined(t, p, nil)
	wantFindings(t, d, "soa_udp", "tls: "+string(CauseHostName), "soa_tcp", "authority", "tsig", "clock", "axfr", "ixfr", "serial")
	if strings.Contains(fmt.Sprint(d), primaryName) {
		t.Error("the certificate's name is told")
	}
	mutual := newTLSWorld(t, func(c *tls.Config) { c.ClientAuth = tls.RequireAndVerifyClientCert })
	p = mutual.peer(t, registry.PeerTLS{Pins: []string{mutual.certificate.Pin()}})
	wantFindings(t, examined(t, p, nil), "soa_udp", "soa_tcp: "+string(CauseClient), "authority", "tsig", "clock", "axfr", "ixfr", "serial")
}

func TestDiagnosisOfConfiguration(t *testing.T) {
	t.Parallel()
	rest := []string{"soa_udp", "tcp", "tls", "soa_tcp", "authority", "tsig", "clock", "axfr", "ixfr", "serial"}
	bare := peer{id: "p", fact: &Error{Step: StepConnect, Cause: CauseNoAddress}}
	wantFindings(t, examined(t, bare, nil), append([]string{"address: " + string(CauseNoAddress)}, rest...)...)
	forbidden := peer{id: "p", addr: netip.MustParseAddrPort("224.0.0.1:53")}
	wantFindings(t, examined(t, forbidden, nil), append([]string{"address: " + string(CauseForbidden)}, rest...)...)
}

// A diagnosis changes nothing of a zone, has an end whatever the peers do, and
// runs once a zone.
func TestEngineDiagnose(t *testing.T) {
	inWorld(t, func(w *world) {
		id := w.addZone("example.org", w.addPeer(1, fakeHost{serial: 1}), w.addPeer(2, fakeHost{serial: 1}))
		pass(time.Second)
		before, _ := w.Status(id)
		w.diagnoses.dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		got := make(chan []Diagnosis)
		start := time.Now()
		go func() {
			told := map[string][]string{}
			found, err := w.Diagnose(w.t.Context(), id, func(d Diagnosis) {
				told[d.Address] = append(told[d.Address], d.Findings[len(d.Findings)-1].Name)
			})
			for _, d := range found {
				if names := told[d.Address]; len(names) != len(d.Findings) || names[0] != "address" {
					w.t.Errorf("told of %q of %s", names, d.Address)
				}
			}
			if err != nil {
				w.t.Error(err)
			}
			got <- found
		}()
		synctest.Wait()
		if _, err := w.Diagnose(w.t.Context(), id, nil); !errors.Is(err, ErrBusy) {
			w.t.Errorf("a second one: %v", err)
		}
		if _, err := w.Diagnose(w.t.Context(), "nowhere", nil); !errors.Is(err, ErrUnknownZone) {
			w.t.Errorf("of a zone that is none: %v", err)
		}
		found := <-got
		if took := time.Since(start); len(found) != 2 || took > diagnosisTime {
			w.t.Errorf("%d peers after %s", len(found), took)
		}
		for _, d := range found {
			if f := d.finding("tcp"); f.Cause != CauseConnectTimeout {
				w.t.Errorf("tcp: %+v", f)
			}
		}
		ctx, cancel := context.WithCancel(w.t.Context())
		cancel()
		for range 2 {
			found, err := w.Diagnose(ctx, id, nil)
			if err != nil || found[0].finding("tcp").Outcome != OutcomeSkipped {
				w.t.Errorf("after the end of who wants it: %v %+v", err, found)
			}
		}
		if after, _ := w.Status(id); !cmp.Equal(before, after) {
			w.t.Errorf("the status has changed: %s", cmp.Diff(before, after))
		}
	})
}

func TestDiagnosesAreFew(t *testing.T) {
	t.Parallel()
	d := newDiagnoses(nil, defaultLimits(), testSeed)
	for i := range maxDiagnoses {
		if !d.enter(fmt.Sprint(i)) {
			t.Errorf("number %d is refused", i)
		}
	}
	if d.enter("one more") {
		t.Error("any number may run")
	}
	d.leave("0")
	if d.enter("1") || !d.enter("one more") {
		t.Error("a place that is left is not for another zone")
	}
}
