package primary

import (
	"time"

	"github.com/miekg/dns"
)

// The faults of signatures.

// TSIGError answers with this TSIG error: dns.RcodeBadKey, BadSig or BadTime.
func TSIGError(code int) Script {
	return func(e *Exchange) error { return e.Fail(code) }
}

// Unsigned leaves TSIG out of the answer to a signed request.
func Unsigned(e *Exchange) error {
	for _, m := range e.Answer() {
		if err := e.SendUnsigned(m); err != nil {
			return err
		}
	}
	return nil
}

// SignedBy signs the answer with this key, whatever the request's was.
func SignedBy(key Key) Script {
	return func(e *Exchange) error {
		messages := e.Answer()
		prior := []byte(nil)
		if e.signer != nil {
			prior = e.signer.prior
		}
		e.signer, e.Signed = &signer{key: key, prior: prior}, true
		for _, m := range messages {
			if err := e.Send(m); err != nil {
				return err
			}
		}
		return nil
	}
}

// SignedEvery sends an AXFR one record a message and signs the first, the last,
// and every message after n unsigned ones. RFC 8945 section 5.3.1 allows n up to
// 99.
func SignedEvery(n int) Script {
	return func(e *Exchange) error {
		messages := e.Messages(e.records(), 1)
		for i, m := range messages {
			send := e.SendUnsigned
			if i%(n+1) == 0 || i == len(messages)-1 {
				send = e.Send
			}
			if err := send(m); err != nil {
				return err
			}
		}
		return nil
	}
}

// LastUnsigned signs all messages but the last.
func LastUnsigned(e *Exchange) error {
	messages := e.Messages(e.records(), 1)
	for i, m := range messages {
		send := e.Send
		if i == len(messages)-1 {
			send = e.SendUnsigned
		}
		if err := send(m); err != nil {
			return err
		}
	}
	return nil
}

// Forged sends an AXFR one record a message, each as forge makes it: it gets the
// octets of message i of n without TSIG, and the TSIG record that signs them,
// and may change either before it has attach put one behind the other, or do
// without. Who does not sign is answered honestly.
func Forged(forge func(i, n int, msg []byte, t *dns.TSIG, attach Attach) ([]byte, error)) Script {
	return func(e *Exchange) error {
		if !e.Signed {
			return Honest(e)
		}
		attach := func(msg []byte, t *dns.TSIG) ([]byte, error) { return appendTSIG(msg, e.key, t) }
		messages := e.Messages(e.records(), 1)
		for i, m := range messages {
			msg, err := m.Pack()
			if err != nil {
				return err
			}
			t := &dns.TSIG{TimeSigned: uint64(time.Now().Unix()), Fudge: fudge}
			if _, err = e.signer.signAs(msg, t); err != nil {
				return err
			}
			if msg, err = forge(i, len(messages), msg, t, attach); err != nil {
				return err
			}
			if err := e.write(msg); err != nil {
				return err
			}
		}
		return nil
	}
}

// Attach puts a TSIG record behind a message, with the name and algorithm of the
// request's key.
type Attach func(msg []byte, t *dns.TSIG) ([]byte, error)

// SignedAt signs with a clock that is wrong by so much. Who does not sign is
// answered honestly.
func SignedAt(wrong time.Duration) Script {
	return func(e *Exchange) error {
		if !e.Signed {
			return Honest(e)
		}
		for _, m := range e.Answer() {
			msg, err := m.Pack()
			if err != nil {
				return err
			}
			t := &dns.TSIG{TimeSigned: uint64(time.Now().Add(wrong).Unix()), Fudge: fudge}
			if msg, err = e.signer.signAs(msg, t); err != nil {
				return err
			}
			if err := e.write(msg); err != nil {
				return err
			}
		}
		return nil
	}
}
