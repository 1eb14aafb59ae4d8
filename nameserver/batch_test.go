package nameserver

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"secondaryd/internal/wire"
)

// openBatch returns the batch of a socket of its own, and the socket's address.
func openBatch(t *testing.T, listenTo string, size int) (*batch, netip.AddrPort) {
	t.Helper()
	s, err := listen([]string{listenTo}, 1)
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBatch(s.udp[0], size, maxUDP)
	if err != nil {
		t.Fatal(errors.Join(err, s.close()))
	}
	patience := time.AfterFunc(deadline, func() { _ = b.stop() })
	t.Cleanup(func() {
		patience.Stop()
		if err := errors.Join(b.close(), s.close()); err != nil {
			t.Error(err)
		}
	})
	return b, s.addrs[0]
}

// Each datagram, from any client to any address of the host, gets the answer
// that is its own, from the address it was sent to.
func TestBatchAnswersEach(t *testing.T) {
	t.Parallel()
	b, addr := openBatch(t, "0.0.0.0:0", 8)
	const clients, each = 5, 7
	conns := make([]net.Conn, clients)
	for c := range conns {
		conns[c] = dial(t, "udp", netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(1 + c)}), addr.Port()))
		for i := range each {
			send(t, conns[c], fmt.Appendf(nil, "%d of %v%*s", i, conns[c].LocalAddr(), i*100, ""))
		}
	}
	for left := clients * each; left > 0; {
		n, err := b.receive()
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			answer := append(b.room()[:0], b.query(i)...)
			answer = fmt.Appendf(answer, "from %v", b.client(i))
			b.reply(i, answer)
		}
		if unsent := b.send(); unsent != 0 {
			t.Errorf("%d answers could not be sent", unsent)
		}
		left -= n
	}
	for _, conn := range conns {
		for i := range each {
			want := fmt.Sprintf("%d of %v%*sfrom %v", i, conn.LocalAddr(), i*100, "", conn.LocalAddr())
			got := make([]byte, maxUDP)
			n, err := conn.Read(got)
			if err != nil || string(got[:n]) != want {
				t.Errorf("got %q, %v; want %q", got[:n], err, want)
			}
		}
	}
}

// An answer that can't be sent, here because of its size, is no reason not to
// send those behind it.
func TestBatchSendsTheRest(t *testing.T) {
	t.Parallel()
	b, addr := openBatch(t, "127.0.0.1:0", 8)
	conn := dial(t, "udp", addr)
	for i := range 5 {
		send(t, conn, []byte{byte('0' + i)})
	}
	unsent := 0
	for left := 5; left > 0; {
		n, err := b.receive()
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			answer := b.query(i)
			if c := answer[0]; c == '1' || c == '4' {
				answer = make([]byte, wire.MaxMessage)
			}
			b.reply(i, answer)
		}
		unsent += b.send()
		left -= n
	}
	var got strings.Builder
	for range 3 {
		answer := make([]byte, 10)
		n, err := conn.Read(answer)
		if err != nil {
			t.Fatal(err)
		}
		got.WriteString(string(answer[:n]))
	}
	if unsent != 2 || got.String() != "023" {
		t.Errorf("got %s with %d that could not be sent, want 023 with 2", got.String(), unsent)
	}
}

// Of a datagram that is too long the rest is lost, and no more.
func TestBatchLongQuery(t *testing.T) {
	t.Parallel()
	b, addr := openBatch(t, "[::1]:0", 2)
	conn := dial(t, "udp", addr)
	send(t, conn, make([]byte, 2*queryRoom))
	send(t, conn, []byte("next"))
	var sizes []int
	for len(sizes) < 2 {
		n, err := b.receive()
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			sizes = append(sizes, len(b.query(i)))
		}
	}
	if sizes[0] != queryRoom || sizes[1] != len("next") {
		t.Errorf("got sizes %v, want %d and 4", sizes, queryRoom)
	}
}

// A batch that waits is woken when it is stopped.
func TestBatchStopsWaiting(t *testing.T) {
	t.Parallel()
	b, _ := openBatch(t, "127.0.0.1:0", 2)
	ended := make(chan error)
	go func() {
		_, err := b.receive()
		ended <- err
	}()
	time.Sleep(20 * time.Millisecond) // as a rule it waits by then
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want that the batch is stopped", err)
	}
}

// A batch that is stopped sends what it has, and takes nothing more.
func TestBatchStopped(t *testing.T) {
	t.Parallel()
	b, addr := openBatch(t, "127.0.0.1:0", 2)
	conn := dial(t, "udp", addr)
	send(t, conn, []byte("query"))
	if n, err := b.receive(); n != 1 || err != nil {
		t.Fatalf("received %d, %v", n, err)
	}
	send(t, conn, []byte("late"))
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	b.reply(0, b.query(0))
	if unsent := b.send(); unsent != 0 {
		t.Error("the answer could not be sent")
	}
	if _, err := conn.Read(make([]byte, 16)); err != nil {
		t.Error(err)
	}
	if _, err := b.receive(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want that the batch is stopped", err)
	}
}

// The whole way, from the packet of a query to the packet of its answer,
// allocates nothing.
func TestPacketsAllocateNothing(t *testing.T) {
	s := startServer(t, Options{Zones: newStore(t, exampleOrg, signedExample), Workers: 1})
	for network, query := range map[string][]byte{
		"udp": packed(t, "ns.signed.example A do"),
		"tcp": framed(t, "www.example.org A edns", 3),
	} {
		if network == "tcp" && poolsForget {
			continue // make test runs it without the race detector too
		}
		conn := dial(t, network, s.Addrs()[0])
		answer := make([]byte, maxUDP)
		if n := testing.AllocsPerRun(500, func() {
			if _, err := conn.Write(query); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Read(answer); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: got %v allocations, want 0", network, n)
		}
	}
}
