package harness

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// dnsTimeout bounds one exchange.
const dnsTimeout = 5 * time.Second

// Key is a TSIG key. Algorithm is the DNS name, as in dns.HmacSHA256; Secret is
// base64.
type Key struct {
	Name      string
	Algorithm string
	Secret    string
}

// Query asks one question with EDNS, by "udp" or "tcp". It is safe for
// concurrent use.
func Query(addr netip.AddrPort, network, name string, qtype uint16) (*dns.Msg, error) {
	m := new(dns.Msg).SetQuestion(dns.Fqdn(name), qtype)
	m.RecursionDesired = false
	m.SetEdns0(1232, false)
	c := dns.Client{Net: network, Timeout: dnsTimeout}
	answer, _, err := c.Exchange(m, addr.String())
	if err != nil {
		return nil, fmt.Errorf("%s %s at %s by %s: %w", name, dns.TypeToString[qtype], addr, network, err)
	}
	return answer, nil
}

// Ask is Query over UDP that fails the test.
func Ask(t testing.TB, addr netip.AddrPort, name string, qtype uint16) *dns.Msg {
	t.Helper()
	m, err := Query(addr, "udp", name, qtype)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Rcode asks for the zone's SOA and returns the response code, -1 without an
// answer. It is safe for concurrent use.
func Rcode(addr netip.AddrPort, zone string) int {
	m, err := Query(addr, "udp", zone, dns.TypeSOA)
	if err != nil {
		return -1
	}
	return m.Rcode
}

// WaitRcode waits until the zone's SOA is answered with this response code.
func WaitRcode(t testing.TB, addr netip.AddrPort, zone string, rcode int) {
	t.Helper()
	last := -1
	Wait(t, func() bool {
		last = Rcode(addr, zone)
		return last == rcode
	}, fmt.Sprintf("%s at %s to answer %s", zone, addr, dns.RcodeToString[rcode]))
}

// Serial is the serial that addr serves of the zone, and whether it serves it.
// It is safe for concurrent use.
func Serial(addr netip.AddrPort, zone string) (uint32, bool) {
	m, err := Query(addr, "udp", zone, dns.TypeSOA)
	if err != nil || m.Rcode != dns.RcodeSuccess || !m.Authoritative || len(m.Answer) != 1 {
		return 0, false
	}
	soa, ok := m.Answer[0].(*dns.SOA)
	if !ok {
		return 0, false
	}
	return soa.Serial, true
}

// WaitSerial waits until addr serves the zone with this serial.
func WaitSerial(t testing.TB, addr netip.AddrPort, zone string, serial uint32) {
	t.Helper()
	Wait(t, func() bool {
		got, ok := Serial(addr, zone)
		return ok && got == serial
	}, fmt.Sprintf("%s at %s to have serial %d", zone, addr, serial))
}

// WaitOtherSerial waits until addr serves the zone with another serial than
// before, and returns it.
func WaitOtherSerial(t testing.TB, addr netip.AddrPort, zone string, before uint32) uint32 {
	t.Helper()
	var serial uint32
	Wait(t, func() bool {
		var ok bool
		serial, ok = Serial(addr, zone)
		return ok && serial != before
	}, fmt.Sprintf("%s at %s to have another serial than %d", zone, addr, before))
	return serial
}

// Transfer is the zone as addr hands it out by AXFR, without the last SOA. The
// key may be nil.
func Transfer(t testing.TB, addr netip.AddrPort, zone string, key *Key) []dns.RR {
	t.Helper()
	m := new(dns.Msg).SetAxfr(dns.Fqdn(zone))
	tr := &dns.Transfer{DialTimeout: dnsTimeout, ReadTimeout: 30 * time.Second}
	if key != nil {
		name := dns.CanonicalName(key.Name)
		tr.TsigSecret = map[string]string{name: key.Secret}
		m.SetTsig(name, key.Algorithm, 300, time.Now().Unix())
	}
	envelopes, err := tr.In(m, addr.String())
	if err != nil {
		t.Fatalf("AXFR of %s from %s: %v", zone, addr, err)
	}
	var records []dns.RR
	for e := range envelopes {
		if e.Error != nil {
			err = e.Error
		}
		records = append(records, e.RR...)
	}
	if err != nil || len(records) < 2 {
		t.Fatalf("AXFR of %s from %s: %d records, %v", zone, addr, len(records), err)
	}
	return records[:len(records)-1]
}

// notifyTries is how often a NOTIFY is sent that gets no answer.
const notifyTries = 3

// Notify sends a NOTIFY for the zone from an address of this machine and returns
// the response code. With a key it is signed, right or wrong as the key is.
func Notify(t testing.TB, from netip.Addr, to netip.AddrPort, zone string, key *Key) int {
	t.Helper()
	m := new(dns.Msg).SetNotify(dns.Fqdn(zone))
	c := dns.Client{
		Timeout: dnsTimeout,
		Dialer:  &net.Dialer{LocalAddr: &net.UDPAddr{IP: from.AsSlice()}, Timeout: dnsTimeout},
	}
	if key != nil {
		name := dns.CanonicalName(key.Name)
		c.TsigSecret = map[string]string{name: key.Secret}
		m.SetTsig(name, key.Algorithm, 300, time.Now().Unix())
	}
	var answer *dns.Msg
	var err error
	for range notifyTries { // as a primary does (RFC 1996 section 3.6)
		if answer, _, err = c.Exchange(m, to.String()); answer != nil {
			break
		}
	}
	if answer == nil {
		t.Fatalf("NOTIFY of %s to %s: %v", zone, to, err)
	}
	if err != nil && answer.Rcode == dns.RcodeSuccess {
		t.Errorf("NOTIFY of %s to %s: the answer does not verify: %v", zone, to, err)
	}
	return answer.Rcode
}
