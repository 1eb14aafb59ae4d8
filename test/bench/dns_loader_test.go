package bench

import (
	"net"
	"net/netip"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// The loader is put on the responder that only flips a bit: what it says must add
// up, closed and with a rate.
func TestLoaderOnFloor(t *testing.T) {
	t.Parallel()
	const rate = 1000
	l := testLoad(t)
	at := startFloor(t, compile(t, floorName), "")
	for name, change := range map[string]func(*load){
		"closed": func(l *load) { l.window = 32 },
		"open":   func(l *load) { l.window, l.rate = 1000, rate },
	} {
		change(&l)
		o := l.on(t, at.addr)
		if o.sent != o.answered+o.lost || o.answered < o.lost || o.noError != o.answered || o.took < l.length {
			t.Errorf("%s: got %+v, which doesn't add up", name, o)
		}
		if o.p50 <= 0 || o.p50 > o.p99 || o.p99 > o.p999 {
			t.Errorf("%s: got percentiles %v, %v, %v", name, o.p50, o.p99, o.p999)
		}
		if most := int(rate*o.took.Seconds()) + 1; l.rate > 0 && o.sent > most {
			t.Errorf("%s: sent %d, want at most %d", name, o.sent, most)
		}
		l.rate = 0
	}
}

// A server that leaves every third query without answer has all of those counted
// as lost, also when so many are asked that their IDs come round again.
func TestLoaderCountsLost(t *testing.T) {
	t.Parallel()
	l := testLoad(t)
	l.window, l.rate = maxOutstanding, 200_000
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	left, done := 0, make(chan struct{})
	go func() {
		defer close(done)
		var msg [512]byte
		for i := 0; ; i++ {
			n, from, err := conn.ReadFromUDPAddrPort(msg[:])
			if err != nil {
				return // it is closed
			}
			if i%3 == 0 {
				left++
				continue
			}
			msg[2] |= 0x80
			_, _ = conn.WriteToUDPAddrPort(msg[:n], from) // lost if not sent, as any
		}
	}()
	o := l.on(t, conn.LocalAddr().(*net.UDPAddr).AddrPort())
	_ = conn.Close()
	<-done
	if o.sent != o.answered+o.lost || o.lost < left || left == 0 {
		t.Errorf("got %+v, with %d queries left without answer", o, left)
	}
}

func testLoad(t *testing.T) load {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no gcc")
	}
	query, err := question{"www", dns.TypeA}.query("example.", true)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "queries")
	put(t, file, string(stream(slices.Repeat([][]byte{query}, 100))))
	return load{saturating: true, program: compile(t, "loader"), file: file, sockets: 3, length: 300 * time.Millisecond}
}
