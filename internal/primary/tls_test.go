package primary

import (
	"crypto/tls"
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"

	"secondaryd/internal/certtest"
)

func TestTLS(t *testing.T) {
	t.Parallel()
	records, err := Parse("example.test", zoneText)
	if err != nil {
		t.Fatal(err)
	}
	certificate := certtest.Authority(t)
	s, err := New(Options{
		Listen: "127.0.0.1:0",
		Zones:  []Zone{{Name: "example.test", Records: records}},
		TLS:    &tls.Config{Certificates: []tls.Certificate{certificate.TLS()}, NextProtos: []string{"dot"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, s)
	networks := make(chan string, 1)
	s.Script(func(e *Exchange) error {
		networks <- e.Network
		return Honest(e)
	})
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", s.TLSAddr().String(), &tls.Config{
		NextProtos:         []string{"dot"},
		InsecureSkipVerify: true, //nolint:gosec // the connection stays in this process
	})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	over := &dns.Conn{Conn: conn}
	if err := over.WriteMsg(new(dns.Msg).SetQuestion("example.test.", dns.TypeSOA)); err != nil {
		t.Fatal(err)
	}
	answer, err := over.ReadMsg()
	if err != nil || len(answer.Answer) != 1 {
		t.Errorf("got %v, error %v", answer, err)
	}
	if got := <-networks; got != "tls" {
		t.Errorf("the request came by %s", got)
	}
}
