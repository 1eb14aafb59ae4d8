package primary

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
