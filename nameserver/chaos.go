package nameserver

import "secondaryd/internal/wire"

// Names in class CH that ask which server answers (RFC 4892).
var (
	idServer     = wire.Name("\x02id\x06server\x00")
	hostnameBind = wire.Name("\x08hostname\x04bind\x00")
)

// answerChaos answers with the configured identity, or refuses: nothing else
// exists in class CH.
func (r *responder) answerChaos() []byte {
	q := &r.query
	asksIdentity := q.name.Equal(idServer) || q.name.Equal(hostnameBind)
	if r.identity == "" || !asksIdentity || q.qtype != wire.TypeTXT && q.qtype != wire.TypeANY {
		return r.fail(rcodeRefused, extendedError{code: noExtendedError})
	}
	var text [256]byte
	size := copy(text[1:], r.identity)
	text[0] = byte(size)
	r.aa = true
	if !r.msg.addOne(answerSection, owner{at: questionAt}, wire.ClassCH, wire.TypeTXT, 0, text[:1+size]) {
		r.truncate(answerSection)
	}
	return r.finish()
}
