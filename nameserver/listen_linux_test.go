package nameserver

import (
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// From the first query that finds a socket on, all find one that stays: what
// arrives while the daemon starts waits to be answered.
func TestListenLosesNothing(t *testing.T) {
	t.Parallel()
	for range 50 {
		addr := fmt.Sprintf("127.0.0.1:%d", freePort(t))
		stop, accepted := make(chan struct{}), make(chan int)
		client, err := net.Dial("udp4", addr)
		if err != nil {
			t.Fatal(err)
		}
		go func() { accepted <- sendUntil(client.(*net.UDPConn), stop) }()
		s, err := listen([]string{addr}, 4)
		close(stop)
		sent := <-accepted
		if err != nil {
			t.Fatal(err)
		}
		if got := received(t, s); got != sent {
			t.Errorf("of %d queries %d wait in a socket", sent, got)
		}
		if err := errors.Join(s.close(), client.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// sendUntil sends datagrams and returns how many of them a socket took, at most
// what one has room for: the kernel tells at once of those that found none.
func sendUntil(conn *net.UDPConn, stop <-chan struct{}) (taken int) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return -1
	}
	for taken < 200 {
		select {
		case <-stop:
			return taken
		default:
		}
		if _, err := conn.Write([]byte("query")); err != nil {
			continue // of the one before, at the latest
		}
		refused := 0
		if err := raw.Control(func(fd uintptr) { refused, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_ERROR) }); err != nil {
			return -1
		}
		if refused == 0 {
			taken++
		}
	}
	return taken
}

// received counts what waits in the sockets.
func received(t *testing.T, s sockets) (n int) {
	t.Helper()
	for _, u := range s.udp {
		for {
			if err := u.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
				t.Fatal(err)
			}
			_, err := u.Read(make([]byte, 16))
			if errors.Is(err, os.ErrDeadlineExceeded) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
	}
	return n
}

// Pinned workers go round the CPUs that the process may use.
func TestPinThread(t *testing.T) {
	t.Parallel()
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		t.Fatal(err)
	}
	seen := map[int]int{}
	for n := range 2 * all.Count() {
		cpu := make(chan int)
		go func() { // ends with its thread
			defer close(cpu)
			var own unix.CPUSet
			if err := errors.Join(pinThread(n), unix.SchedGetaffinity(0, &own)); err != nil || own.Count() != 1 {
				t.Errorf("pinned to %d CPUs, %v", own.Count(), err)
				return
			}
			for i := range 1024 {
				if own.IsSet(i) {
					cpu <- i
				}
			}
		}()
		seen[<-cpu]++
	}
	for cpu, times := range seen {
		if times != 2 || !all.IsSet(cpu) {
			t.Errorf("CPU %d was given %d times, want 2", cpu, times)
		}
	}
}

func TestBuffers(t *testing.T) {
	t.Parallel()
	s := startServer(t, Options{ReceiveBuffer: 65536, SendBuffer: 32768})
	for _, b := range s.batches {
		receive, err1 := unix.GetsockoptInt(b.fd, unix.SOL_SOCKET, unix.SO_RCVBUF)
		send, err2 := unix.GetsockoptInt(b.fd, unix.SOL_SOCKET, unix.SO_SNDBUF)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if receive != 2*65536 || send != 2*32768 { // the kernel adds room for its own
			t.Errorf("got %d and %d octets", receive, send)
		}
	}
}
