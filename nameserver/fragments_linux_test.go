package nameserver

import (
	"errors"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Answers are not fragmented on their way, unless they may be larger than every
// network takes.
func TestFragments(t *testing.T) {
	t.Parallel()
	for size, want := range map[int][2]int{
		512:  {unix.IP_PMTUDISC_PROBE, unix.IPV6_PMTUDISC_PROBE},
		1232: {unix.IP_PMTUDISC_PROBE, unix.IPV6_PMTUDISC_PROBE},
		1400: {unix.IP_PMTUDISC_OMIT, unix.IPV6_PMTUDISC_OMIT},
	} {
		s := startServer(t, Options{Listen: []string{"127.0.0.1:0", "[::1]:0"}, Workers: 2, UDPSize: size})
		for _, b := range s.batches {
			level, option, how := unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, want[0]
			if strings.HasPrefix(b.address, "[") {
				level, option, how = unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, want[1]
			}
			if got, err := unix.GetsockoptInt(b.fd, level, option); err != nil || got != how {
				t.Errorf("%s with answers of %d octets: option %d, %v; want %d", b.address, size, got, err, how)
			}
		}
	}
}

// An answer that is larger than an interface of the host takes arrives all the same.
func TestSmallMTU(t *testing.T) {
	t.Parallel()
	const octets, mtu = 1200, 1000
	inSmallNetwork(t, mtu, func() {
		s, err := listen([]string{"127.0.0.1:0"}, 1)
		if err != nil {
			t.Error(err)
			return
		}
		defer s.close()
		err = forbidFragments(s.udp[0])
		b, batchErr := newBatch(s.udp[0], 4, octets)
		if err := errors.Join(err, batchErr); err != nil {
			t.Error(err)
			return
		}
		defer b.close()
		conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.addrs[0]))
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		for range 2 {
			checkLargeAnswer(t, b, conn, octets)
		}
		if how, err := unix.GetsockoptInt(b.fd, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER); err != nil || how != unix.IP_PMTUDISC_OMIT {
			t.Errorf("option %d, %v after an answer that was too large; want %d", how, err, unix.IP_PMTUDISC_OMIT)
		}
	})
}

// checkLargeAnswer has the batch answer conn with so many octets.
func checkLargeAnswer(t *testing.T, b *batch, conn *net.UDPConn, octets int) {
	t.Helper()
	if _, err := conn.Write([]byte("query")); err != nil {
		t.Error(err)
		return
	}
	if n, err := b.receive(); err != nil || n != 1 {
		t.Errorf("received %d, %v; want 1", n, err)
		return
	}
	b.reply(0, b.room()[:octets])
	if unsent := b.send(); unsent != 0 {
		t.Errorf("%d answers could not be sent", unsent)
		return
	}
	if err := conn.SetReadDeadline(time.Now().Add(deadline)); err != nil {
		t.Error(err)
	}
	if n, err := conn.Read(make([]byte, maxUDP)); err != nil || n != octets {
		t.Errorf("got %d octets, %v; want %d", n, err, octets)
	}
}

// inSmallNetwork runs do on a thread whose network has a loopback interface with
// that MTU and nothing else. It needs root.
func inSmallNetwork(t *testing.T, mtu int32, do func()) {
	t.Helper()
	var err error
	var done sync.WaitGroup
	done.Go(func() {
		runtime.LockOSThread() // which ends with it
		if err = unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return
		}
		if err = setLoopback(mtu); err == nil {
			do()
		}
	})
	done.Wait()
	if errors.Is(err, unix.EPERM) {
		t.Skip("it takes root to make a network namespace")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// setLoopback brings the loopback interface up, see netdevice(7).
func setLoopback(mtu int32) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request := struct {
		name  [unix.IFNAMSIZ]byte
		value [24]byte
	}{name: [unix.IFNAMSIZ]byte{'l', 'o'}}
	set := func(what uintptr) error {
		if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), what, uintptr(unsafe.Pointer(&request))); errno != 0 {
			return errno
		}
		return nil
	}
	*(*int32)(unsafe.Pointer(&request.value)) = mtu
	err = set(unix.SIOCSIFMTU)
	*(*int16)(unsafe.Pointer(&request.value)) = unix.IFF_UP
	return errors.Join(err, set(unix.SIOCSIFFLAGS))
}
