package transfer

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// bulkPair is a connection that is read in bulk, and its other end.
func bulkPair(t *testing.T) (in *intake, peer net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	peer, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	in = &intake{conn: conn}
	in.readBulk()
	return in, peer
}

func lowWater(t *testing.T, conn net.Conn) (low int) {
	t.Helper()
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		if low, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVLOWAT); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return low
}

// TestGatherWindow: when the peer sends less than is waited for until that is read, as TCP
// may have it do, soon no more is waited for than comes.
func TestGatherWindow(t *testing.T) {
	t.Parallel()
	in, peer := bulkPair(t)
	const window = 16 << 10
	piece, room := make([]byte, window), make([]byte, window)
	for range 200 {
		late := time.AfterFunc(gatherFor/4, func() { _, _ = peer.Write(piece) })
		if _, err := io.ReadFull(in, room); err != nil {
			t.Fatal(err)
		}
		late.Stop()
		if in.bulk.(*gatherer).want <= window {
			return
		}
	}
	t.Errorf("%d octets are still waited for", in.bulk.(*gatherer).want)
}

// TestAdapt: what is waited for follows what comes, within its bounds.
func TestAdapt(t *testing.T) {
	t.Parallel()
	g := &gatherer{want: gatherOctets}
	for _, step := range []struct {
		came bool
		want int
	}{
		{true, gatherOctets}, {false, gatherOctets / 2}, {false, gatherOctets / 4}, {true, gatherOctets/4 + gatherStep},
	} {
		if g.adapt(step.came); g.want != step.want {
			t.Errorf("waits for %d, want %d", g.want, step.want)
		}
	}
	for range 100 {
		g.adapt(false)
	}
	if g.want != gatherStep {
		t.Errorf("waits for %d at least", g.want)
	}
}

// TestGather: whatever the pieces and pauses in which a stream comes, it is read as
// it was sent, up to its end.
func TestGather(t *testing.T) {
	t.Parallel()
	in, peer := bulkPair(t)
	sent := make([]byte, 3*gatherOctets)
	for i := range sent {
		sent[i] = byte(i * 31 >> 3)
	}
	var sending sync.WaitGroup
	defer sending.Wait()
	sending.Go(func() {
		rest := sent
		for i, n := range []int{1, 100, gatherOctets - 1, gatherOctets, 5, len(sent)} {
			n = min(n, len(rest))
			if _, err := peer.Write(rest[:n]); err != nil {
				t.Error(err)
			}
			rest = rest[n:]
			time.Sleep(time.Duration(i%3) * 2 * gatherFor)
		}
		_ = peer.Close()
	})
	got, err := io.ReadAll(in)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("read %d octets, %v; want the %d that were sent", len(got), err, len(sent))
	}
}

// TestGatherIdle: a stream that pauses is waited for as any other, for any octet, as
// long as the deadline leaves, and ends when the connection is closed.
func TestGatherIdle(t *testing.T) {
	t.Parallel()
	in, peer := bulkPair(t)
	if err := in.conn.SetDeadline(time.Now().Add(10 * gatherFor)); err != nil {
		t.Fatal(err)
	}
	var b [1]byte
	if _, err := in.Read(b[:]); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("got %v, want the deadline", err)
	}
	if low := lowWater(t, in.conn); low != 1 {
		t.Errorf("waited for %d octets at last", low)
	}
	if err := in.conn.SetDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(10*gatherFor, func() { _, _ = peer.Write([]byte{7}) })
	if _, err := in.Read(b[:]); err != nil || b[0] != 7 {
		t.Fatalf("got %d, %v; want the octet that came late", b[0], err)
	}
	time.AfterFunc(10*gatherFor, func() { _ = in.conn.Close() })
	if _, err := in.Read(b[:]); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want that the connection is closed", err)
	}
}

// TestIntakeEnd: the connection of a large transfer is given back as it was, unless
// more was read than belongs to the transfer.
func TestIntakeEnd(t *testing.T) {
	t.Parallel()
	in, peer := bulkPair(t)
	if _, err := peer.Write([]byte{1, 2}); err != nil {
		t.Fatal(err)
	}
	var b [2]byte
	if _, err := io.ReadFull(in, b[:]); err != nil {
		t.Fatal(err)
	}
	g := in.bulk.(*gatherer)
	if err := g.raw.Control(func(fd uintptr) { g.setLow(int(fd), gatherOctets) }); err != nil {
		t.Fatal(err)
	}
	if low := lowWater(t, in.conn); low != gatherOctets {
		t.Fatalf("waits for %d octets, want %d", low, gatherOctets)
	}
	if !in.end() {
		t.Error("something was left")
	}
	if low := lowWater(t, in.conn); low != 1 {
		t.Errorf("waits for %d octets afterwards", low)
	}
	if _, err := peer.Write([]byte{3, 4}); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Read(b[:1]); err != nil {
		t.Fatal(err)
	}
	if in.end() {
		t.Error("an octet that nobody asked for was lost, and not noticed")
	}
}
