package nameserver

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

// Length and message leave in one write, and so in one segment (RFC 7766 section 8).
func TestOneSegmentAnAnswer(t *testing.T) {
	t.Parallel()
	conn := dial(t, "tcp", startServer(t, Options{}).Addrs()[0])
	const queries = 20
	for range queries {
		send(t, conn, framed(t, "www.example.org A", 1))
		readAnswers(t, conn, 1)
	}
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var info *unix.TCPInfo
	var failed error
	if err := raw.Control(func(fd uintptr) { info, failed = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	if info.Data_segs_in != queries {
		t.Errorf("%d answers came in %d segments", queries, info.Data_segs_in)
	}
}
