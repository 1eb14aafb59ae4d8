package soak

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// question is one query and what is needed to judge its answer.
type question struct {
	msg   *dns.Msg
	zone  *zone // nil for a name outside of all zones
	judge judge
	floor uint32 // the serial seen before it was asked
	edns  bool
	// cookie is the client's half, nil if none was sent.
	cookie []byte
}

const clientCookie = "0123456789abcdef"

// asker makes questions. It is for one goroutine.
type asker struct {
	zones  []*zone
	cookie string // the last that the daemon gave, in hexadecimal
}

// question makes a random one.
func (a *asker) question(id uint16) *question {
	if rand.IntN(20) == 0 {
		k := outside[rand.IntN(len(outside))]
		q := &question{msg: new(dns.Msg).SetQuestion(k.name, k.qtype), judge: k.judge}
		q.msg.Id, q.msg.Question[0].Qclass = id, k.class
		return q
	}
	z := a.zones[rand.IntN(len(a.zones))]
	kinds := kindsOf[z.style]
	if rand.IntN(2) == 0 {
		kinds = everywhere
	}
	k := kinds[rand.IntN(len(kinds))]
	q := &question{zone: z, judge: k.judge, floor: z.seen.Load()}
	q.msg = new(dns.Msg).SetQuestion(mixedCase(k.label+z.name), k.qtype)
	q.msg.Id, q.msg.RecursionDesired = id, rand.IntN(2) == 0
	a.extend(q)
	return q
}

// extend adds EDNS to most questions, and options to some.
func (a *asker) extend(q *question) {
	if rand.IntN(4) == 0 {
		return
	}
	q.edns = true
	q.msg.SetEdns0(1232, rand.IntN(2) == 0)
	opt := q.msg.IsEdns0()
	switch rand.IntN(4) {
	case 0:
		cookie := clientCookie
		if a.cookie != "" && rand.IntN(4) != 0 {
			cookie = a.cookie
		}
		q.cookie = []byte(clientCookie)
		opt.Option = append(opt.Option, &dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: cookie})
	case 1:
		opt.Option = append(opt.Option, &dns.EDNS0_NSID{Code: dns.EDNS0NSID}, &dns.EDNS0_LOCAL{Code: 65001, Data: []byte("?")})
	}
}

// mixedCase changes the case of letters at random: the answer must have the same.
func mixedCase(name string) string {
	text := []byte(name)
	for i, c := range text {
		if 'a' <= c && c <= 'z' && rand.IntN(4) == 0 {
			text[i] = c - 'a' + 'A'
		}
	}
	return string(text)
}

// check says what is wrong with an answer, nil for nothing.
func (a *asker) check(q *question, raw []byte) error {
	m := new(dns.Msg)
	err := m.Unpack(raw)
	if err == nil {
		err = errors.Join(q.checkHeader(m), a.checkEDNS(q, m))
	}
	rcodes := []int{dns.RcodeSuccess, dns.RcodeNameError}
	if q.zone != nil && !q.zone.stable {
		rcodes = append(rcodes, dns.RcodeRefused, dns.RcodeServerFailure)
	}
	switch {
	case err != nil:
	case q.zone == nil:
		err = q.judge(nil, m, 0)
	case !slices.Contains(rcodes, m.Rcode):
		err = errors.New("response code")
	case m.Truncated || !slices.Contains(rcodes[:2], m.Rcode):
	default:
		err = q.judge(q.zone, m, q.floor)
	}
	if err != nil {
		return fmt.Errorf("question %v: %w\n%v\n%s", q.msg.Question, err, m, hex.EncodeToString(raw))
	}
	return nil
}

func (q *question) checkHeader(m *dns.Msg) error {
	switch {
	case m.Id != q.msg.Id || !m.Response || m.Opcode != dns.OpcodeQuery:
		return errors.New("no answer to the query")
	case !slices.Equal(m.Question, q.msg.Question):
		return errors.New("another question")
	case m.RecursionDesired != q.msg.RecursionDesired || m.RecursionAvailable:
		return errors.New("RD or RA")
	}
	return nil
}

func (a *asker) checkEDNS(q *question, m *dns.Msg) error {
	opt := m.IsEdns0()
	if q.edns != (opt != nil) {
		return errors.New("EDNS in one of query and answer")
	}
	if q.cookie == nil {
		return nil
	}
	for _, option := range opt.Option {
		if c, ok := option.(*dns.EDNS0_COOKIE); ok && bytes.HasPrefix([]byte(c.Cookie), q.cookie) && len(c.Cookie) == 48 {
			a.cookie = strings.Clone(c.Cookie)
			return nil
		}
	}
	return errors.New("no cookie in the answer")
}
