package primary

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/miekg/dns"
)

// Exchange is one request and the means to answer it. It belongs to the script
// that got it and must not be used after the script has returned.
type Exchange struct {
	Request *dns.Msg
	Network string // udp, tcp or tls
	Remote  netip.AddrPort
	// Signed says that the request's TSIG verified.
	Signed bool
	// Failure is the TSIG error of the request (16 to 18), or 0.
	Failure int

	server *Server
	key    Key     // the key that the request names, if we have it
	signer *signer // nil when the request has no TSIG or its key is unknown
	write  func([]byte) error
	conn   net.Conn // nil by UDP
}

// Question is the request's question.
func (e *Exchange) Question() dns.Question {
	return e.Request.Question[0]
}

// Pack makes the octets of the next message of the answer, signed when the
// request was.
func (e *Exchange) Pack(m *dns.Msg) ([]byte, error) {
	msg, err := m.Pack()
	if err != nil || !e.Signed {
		return msg, err
	}
	return e.signer.sign(msg)
}

// Send writes the next message of the answer, signed when the request was.
func (e *Exchange) Send(m *dns.Msg) error {
	msg, err := e.Pack(m)
	if err != nil {
		return err
	}
	return e.write(msg)
}

// SendUnsigned writes the next message without TSIG. It is covered by the next
// signature, as RFC 8945 section 5.3.1 has it.
func (e *Exchange) SendUnsigned(m *dns.Msg) error {
	msg, err := m.Pack()
	if err != nil {
		return err
	}
	if e.signer != nil {
		e.signer.skip(msg)
	}
	return e.write(msg)
}

// Write writes one message as it is; by TCP its length goes before it.
func (e *Exchange) Write(msg []byte) error {
	return e.write(msg)
}

// Cut ends a TCP connection; what was written before still arrives. By UDP it
// means no answer.
func (e *Exchange) Cut() error {
	return io.ErrUnexpectedEOF
}

// Stall says nothing more until the client goes or the server ends.
func (e *Exchange) Stall() error {
	if e.conn == nil {
		return nil
	}
	if err := e.conn.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	_, err := io.Copy(io.Discard, e.conn)
	return err
}

// Raw writes octets into a TCP stream as they are, without a length.
func (e *Exchange) Raw(octets []byte) error {
	if e.conn == nil {
		return errNoStream
	}
	_, err := e.conn.Write(octets)
	return err
}

// Pause waits, by TCP only. It fails when the client goes or the server ends
// meanwhile.
func (e *Exchange) Pause(d time.Duration) error {
	if e.conn == nil {
		return errNoStream
	}
	until := time.Now().Add(d)
	if err := cmp.Or(e.conn.SetReadDeadline(until), e.conn.SetWriteDeadline(until.Add(idleTimeout))); err != nil {
		return err
	}
	_, err := e.conn.Read(make([]byte, 1))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return cmp.Or(err, errTalkative)
}

var (
	errNoStream  = errors.New("no stream by UDP")
	errTalkative = errors.New("the client says more before it was answered")
)

// Fail answers with a TSIG error (RFC 8945 section 5.2): NOTAUTH, unsigned for
// BADKEY and BADSIG, signed and with the time of this server for BADTIME.
func (e *Exchange) Fail(code int) error {
	m := e.reply(dns.RcodeNotAuth)
	msg, err := m.Pack()
	if err != nil {
		return err
	}
	t := &dns.TSIG{Fudge: fudge, Error: uint16(code)}
	key := e.key
	if asked := e.Request.IsTsig(); asked != nil {
		t.TimeSigned, t.Fudge = asked.TimeSigned, asked.Fudge
		key.Name, key.Algorithm = asked.Hdr.Name, asked.Algorithm
	}
	if code != dns.RcodeBadTime || e.signer == nil {
		if msg, err = appendTSIG(msg, key, t); err != nil {
			return err
		}
		return e.write(msg)
	}
	now := binary.BigEndian.AppendUint64(nil, uint64(time.Now().Unix()))
	t.OtherLen, t.OtherData = 6, hex.EncodeToString(now[2:])
	if msg, err = e.signer.signAs(msg, t); err != nil {
		return err
	}
	return e.write(msg)
}
