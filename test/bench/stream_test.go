package bench

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// streamWait is for how long nothing comes behind the end of a stream.
const streamWait = 2 * time.Second

// stream returns how long the primary takes to send its first zone to somebody who
// does not look at it: no secondary is faster.
func (p *primary) stream(t *testing.T) time.Duration {
	t.Helper()
	octets, _ := p.readStream(t, -1)
	_, took := p.readStream(t, octets)
	return took
}

// readStream reads that many octets, or all that come if it is negative.
func (p *primary) readStream(t *testing.T, most int64) (octets int64, took time.Duration) {
	t.Helper()
	query, err := new(dns.Msg).SetAxfr(p.zones[0]).Pack()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", p.addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	start := time.Now()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1<<20)
	for octets != most {
		if err := conn.SetReadDeadline(time.Now().Add(streamWait)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(buf)
		octets += int64(n)
		if most < 0 && (errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.EOF)) {
			break
		}
		if err != nil {
			t.Fatalf("after %d octets of the stream: %v", octets, err)
		}
	}
	return octets, time.Since(start)
}
