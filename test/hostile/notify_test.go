package hostile

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/primary"
	"secondaryd/test/harness"
)

// The senders of NOTIFY: the peers of both zones have the address of our
// primaries, the stranger another one.
var stranger = netip.MustParseAddr("127.0.0.66")

const (
	openZone   = "open.test."   // its peer has no key
	signedZone = "signed.test." // its peer has one
)

// silence is no response code: there is no answer.
const silence = -1

// notice is a NOTIFY and what is to come of it.
type notice struct {
	name   string
	zone   string // openZone if empty
	from   netip.Addr
	key    *harness.Key
	change func(m *dns.Msg)
	octets func(raw []byte) []byte
	rcode  int
	checks int // of the zone
}

// withSOA has the NOTIFY carry a SOA of that owner and serial.
func withSOA(owner string, serial uint32) func(*dns.Msg) {
	return func(m *dns.Msg) {
		m.Answer = []dns.RR{&dns.SOA{Hdr: dns.RR_Header{Name: owner, Rrtype: dns.TypeSOA, Class: dns.ClassINET}, Ns: ".", Mbox: ".", Serial: serial}}
	}
}

// keys that are not the peer's.
func wrongKey(change func(*harness.Key)) *harness.Key {
	k := key
	change(&k)
	return &k
}

var (
	wrongSecret    = wrongKey(func(k *harness.Key) { k.Secret = "YW5vdGhlciBzZWNyZXQ=" })
	wrongName      = wrongKey(func(k *harness.Key) { k.Name = "another.key." })
	wrongAlgorithm = wrongKey(func(k *harness.Key) { k.Algorithm = dns.HmacSHA512 })
)

// notices come by UDP and by TCP. The version served is 1, which is the newest.
var notices = []notice{
	// Who may send one.
	{name: "from the peer", from: loopback, checks: 1},
	{name: "from the peer that has a key, unsigned", zone: signedZone, from: loopback, checks: 1},
	{name: "signed", zone: signedZone, from: loopback, key: &key, checks: 1},
	{name: "signed, from elsewhere", zone: signedZone, from: stranger, key: &key, checks: 1},
	{name: "from a stranger", from: stranger, rcode: dns.RcodeRefused},
	{name: "from a stranger, another zone's key", from: stranger, key: &key, rcode: dns.RcodeNotAuth},
	{name: "wrong secret", zone: signedZone, from: loopback, key: wrongSecret, rcode: dns.RcodeNotAuth},
	{name: "unknown key", zone: signedZone, from: loopback, key: wrongName, rcode: dns.RcodeNotAuth},
	{name: "wrong algorithm", zone: signedZone, from: loopback, key: wrongAlgorithm, rcode: dns.RcodeNotAuth},
	{name: "record behind the signature", zone: signedZone, from: loopback, key: &key, octets: func(raw []byte) []byte {
		raw[11]++
		return append(raw, 0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 66)
	}, rcode: dns.RcodeFormatError},

	// Serials, which prove nothing.
	{name: "forged serial far ahead", from: loopback, change: withSOA(openZone, 1<<31), checks: 1},
	{name: "forged serial behind", from: loopback, change: withSOA(openZone, 0), checks: 1},
	{name: "the serial that is served", from: loopback, change: withSOA(openZone, 1)},
	{name: "SOA of another owner", from: loopback, change: withSOA("other.test.", 1), checks: 1},

	// Odd forms.
	{name: "no SOA but another record", from: loopback, change: func(m *dns.Msg) { m.Answer = []dns.RR{record("%s 60 NS .", openZone)} }, checks: 1},
	{name: "more than it needs", from: loopback, change: func(m *dns.Msg) {
		m.Ns, m.Extra = []dns.RR{record("%s 60 NS .", openZone)}, []dns.RR{record("planted.%s 60 A 192.0.2.66", openZone)}
	}, checks: 1},
	{name: "without authority bit", from: loopback, change: func(m *dns.Msg) { m.Authoritative = false }, checks: 1},
	{name: "another case", from: loopback, change: func(m *dns.Msg) { m.Question[0].Name = "OPEN.Test." }, checks: 1},
	{name: "an unknown zone", from: loopback, change: func(m *dns.Msg) { m.Question[0].Name = "none.test." }, rcode: dns.RcodeNotAuth},
	{name: "a name below the zone", from: loopback, change: func(m *dns.Msg) { m.Question[0].Name = "www." + openZone }, rcode: dns.RcodeNotAuth},
	{name: "another class", from: loopback, change: func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS }, rcode: dns.RcodeNotAuth},
	{name: "another type", from: loopback, change: func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeDNSKEY }, rcode: dns.RcodeNotImplemented},
	{name: "two questions", from: loopback, change: func(m *dns.Msg) { m.Question = append(m.Question, m.Question[0]) }, rcode: dns.RcodeFormatError},
	{name: "no question", from: loopback, change: func(m *dns.Msg) { m.Question = nil }, rcode: dns.RcodeFormatError},
	{name: "counts too high", from: loopback, octets: func(raw []byte) []byte { raw[7] = 9; return raw }, rcode: dns.RcodeFormatError},
	{name: "octets behind it", from: loopback, octets: func(raw []byte) []byte { return append(raw, 1, 2, 3) }, checks: 1},
	{name: "half a header", from: loopback, octets: func(raw []byte) []byte { return raw[:7] }, rcode: silence},
	{name: "an answer", from: loopback, change: func(m *dns.Msg) { m.Response = true }, rcode: silence},
	{name: "an answer from a stranger", from: stranger, change: func(m *dns.Msg) { m.Response = true }, rcode: silence},
}

// pack makes the octets of the NOTIFY, and the MAC that its answer's signature
// covers.
func (n notice) pack(t *testing.T) (raw []byte, mac string) {
	t.Helper()
	m := new(dns.Msg).SetNotify(cmp.Or(n.zone, openZone))
	if n.change != nil {
		n.change(m)
	}
	var err error
	if n.key == nil {
		raw, err = m.Pack()
	} else {
		m.SetTsig(n.key.Name, n.key.Algorithm, 300, time.Now().Unix())
		raw, mac, err = dns.TsigGenerate(m, n.key.Secret, "", false)
	}
	if err != nil {
		t.Fatal(err)
	}
	if n.octets != nil {
		raw = n.octets(raw)
	}
	return raw, mac
}

// send sends the NOTIFY and looks at what comes back.
func (n notice) send(t *testing.T, network string, to netip.AddrPort) {
	t.Helper()
	raw, mac := n.pack(t)
	wait := 5 * time.Second
	if n.rcode == silence {
		wait = quiet
	}
	answer := exchange(t, network, n.from, to, raw, wait)
	rcode := silence
	if answer != nil {
		rcode = int(answer[3] & 0xF)
	}
	if rcode != n.rcode {
		t.Errorf("answered with %d, want %d", rcode, n.rcode)
	}
	if n.key == nil || rcode != dns.RcodeSuccess {
		return
	}
	if err := dns.TsigVerify(answer, n.key.Secret, mac, false); err != nil {
		t.Errorf("the answer's signature: %v", err)
	}
}

// quiet is how long an answer that must not come is waited for.
const quiet = 100 * time.Millisecond

// exchange sends octets from an address and returns what comes back, nil for
// nothing.
func exchange(t *testing.T, network string, from netip.Addr, to netip.AddrPort, raw []byte, wait time.Duration) []byte {
	t.Helper()
	conn := dial(t, network, from, to)
	defer conn.Close()
	c := &dns.Conn{Conn: conn}
	if err := c.SetDeadline(time.Now().Add(wait)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(raw); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, dns.MaxMsgSize)
	n, err := c.Read(buf)
	if err != nil {
		if !errors.Is(err, os.ErrDeadlineExceeded) && network == "udp" {
			t.Fatal(err)
		}
		return nil // by TCP the connection may end, too
	}
	if n < headerSize {
		t.Fatalf("an answer of %d octets: %x", n, buf[:n])
	}
	return buf[:n]
}

func dial(t *testing.T, network string, from netip.Addr, to netip.AddrPort) net.Conn {
	t.Helper()
	var local net.Addr = &net.UDPAddr{IP: from.AsSlice()}
	if network == "tcp" {
		local = &net.TCPAddr{IP: from.AsSlice()}
	}
	conn, err := (&net.Dialer{LocalAddr: local}).DialContext(t.Context(), network, to.String())
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestNotices has each kind of NOTIFY answered as it must be, with as many
// checks of the zone as it is worth.
func TestNotices(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	primaries := map[string]*upstream{
		openZone:   startPrimary(t, "", openZone, "", lazy),
		signedZone: startPrimary(t, "", signedZone, key.Name, lazy),
	}
	d.Zone(t, openZone, d.Peer(t, "open", primaries[openZone].Addr(), nil))
	d.Zone(t, signedZone, d.Peer(t, "signed", primaries[signedZone].Addr(), &key))
	for zone := range primaries {
		harness.WaitSerial(t, d.DNS, zone, 1)
	}
	upToDate := func(u *upstream) int { return len(d.Log.Find(0, event("zone is up to date", u.zone))) }
	for _, network := range []string{"udp", "tcp"} {
		for _, n := range notices {
			t.Run(network+" "+n.name, func(t *testing.T) {
				u := primaries[cmp.Or(n.zone, openZone)]
				asked, checked := u.questions(), upToDate(u)
				n.send(t, network, d.DNS)
				// A good one shows whether those before it led to a check.
				harness.Wait(t, func() bool { return upToDate(u) >= checked+n.checks }, "the check")
				u.notify(t, d)
				harness.Wait(t, func() bool { return upToDate(u) >= checked+n.checks+1 }, "the check that a good NOTIFY leads to")
				if got := u.questions() - asked - 1; got != n.checks {
					t.Errorf("%d checks, want %d", got, n.checks)
				}
			})
		}
	}
	for zone, u := range primaries {
		u.wantVersion(t, d, 1)
		serial := u.bump(t, nil)
		u.notify(t, d)
		harness.WaitSerial(t, d.DNS, zone, serial)
	}
}

// flood is how many NOTIFY one flood has.
const flood = 20_000

// sendFlood sends one NOTIFY so often, from the addresses in turn, and reads no
// answers.
func sendFlood(t *testing.T, d *harness.Daemon, n notice, from ...netip.Addr) {
	t.Helper()
	raw, _ := n.pack(t)
	var conns []net.Conn
	for _, addr := range from {
		conn := dial(t, "udp", addr, d.DNS)
		defer conn.Close()
		conns = append(conns, conn)
	}
	for i := range flood {
		if _, err := conns[i%len(conns)].Write(raw); err != nil {
			t.Fatal(err)
		}
	}
}

// notified are the NOTIFY that were counted with these results.
func notified(t *testing.T, d *harness.Daemon, results ...string) int {
	t.Helper()
	n := 0
	for _, s := range d.Client.Metrics(t).Find("secondaryd_notifies_total") {
		if slices.Contains(results, s.Labels["result"]) {
			n += int(s.Value)
		}
	}
	return n
}

// TestFloodOfPeer: any number of NOTIFY during a check makes one more.
func TestFloodOfPeer(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{})
	u := startPrimary(t, "", openZone, "", lazy)
	d.Zone(t, openZone, d.Peer(t, "p", u.Addr(), nil))
	harness.WaitSerial(t, d.DNS, openZone, 1)
	hold, release := context.WithCancel(t.Context())
	defer release()
	u.Script(func(e *primary.Exchange) error {
		<-hold.Done()
		return primary.Honest(e)
	})
	memory, lines := d.PeakMemory(t), d.Log.Len()
	u.notify(t, d)
	harness.Wait(t, func() bool { return u.questions() > 1 }, "the check to begin")
	serial := u.bump(t, nil)
	sendFlood(t, d, notice{}, loopback)
	harness.Wait(t, func() bool { return notified(t, d, "accepted") > flood/100 }, "the flood to arrive")
	asked := u.questions() // a question by UDP may be repeated while it is held up
	release()
	harness.WaitSerial(t, d.DNS, openZone, serial)
	d.WaitLog(t, transferred(openZone, serial), "the transfer")
	for i := range 2 { // the check that the flood is worth, and that of a last NOTIFY
		harness.Wait(t, func() bool { return len(d.Log.Find(lines, event("zone is up to date", openZone))) > i }, "the check after the transfer")
		if i == 0 {
			u.notify(t, d)
		}
	}
	u.wantVersion(t, d, serial)
	// The transfer, two checks, two questions that were on their way, and a few
	// checks if some of the flood was still to be read.
	if got := u.questions() - asked; got > 10 {
		t.Errorf("%d questions after the flood", got)
	}
	ours := func(e harness.Entry) bool { return e.Message() != "api request" }
	if got := len(d.Log.Find(lines, ours)); got > 15 {
		t.Errorf("%d lines of log", got)
	}
	if grown := d.PeakMemory(t) - memory; grown > small {
		t.Errorf("needed %d MiB more", grown>>20)
	}
}

// TestFloodOfStrangers: those who are no peer cost no check, no memory and few
// lines, and do not stand in the way of a peer.
func TestFloodOfStrangers(t *testing.T) {
	t.Parallel()
	d := harness.StartDaemon(t, harness.DaemonOptions{LogLevel: "info", Config: "notify:\n  max_per_second_per_source: 20\n"})
	u := startPrimary(t, "", openZone, "", lazy)
	d.Zone(t, openZone, d.Peer(t, "p", u.Addr(), nil))
	harness.WaitSerial(t, d.DNS, openZone, 1)
	memory, lines, asked, begin := d.PeakMemory(t), d.Log.Len(), u.questions(), time.Now()
	var many []netip.Addr
	for i := range 250 {
		many = append(many, netip.AddrFrom4([4]byte{127, 0, 1, byte(1 + i)}))
	}
	for name, from := range map[string][]netip.Addr{"one": {stranger}, "many": many} {
		sendFlood(t, d, notice{}, from...)
		sendFlood(t, d, notice{change: withSOA(openZone, 99)}, from...)
		harness.Wait(t, func() bool { return notified(t, d, "dropped") > 0 }, "the flood of "+name+" to arrive")
	}
	sendFlood(t, d, notice{zone: "none.test."}, many...)
	if got := u.questions() - asked; got != 0 {
		t.Errorf("strangers led to %d questions", got)
	}
	serial := u.bump(t, nil)
	u.notify(t, d)
	harness.WaitSerial(t, d.DNS, openZone, serial)
	const perSecond, burst = 5, 5
	if got, most := len(d.Log.Find(lines, func(e harness.Entry) bool { return e.Message() == "notify refused" })),
		burst+perSecond*int(time.Since(begin).Seconds()+1); got == 0 || got > most {
		t.Errorf("%d lines of log, want some and at most %d", got, most)
	}
	if grown := d.PeakMemory(t) - memory; grown > small {
		t.Errorf("needed %d MiB more", grown>>20)
	}
}
