package conformance

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/miekg/dns"
)

// peerNames are the names of harness.Primaries, in their order.
var peerNames = [...]string{"NSD", "Knot", "BIND"}

// inFlight is how many questions are asked at once.
const inFlight = 12

type servers struct {
	peers [len(peerNames)]netip.AddrPort
	ours  netip.AddrPort
}

// compare asks all servers all questions.
func compare(s servers, questions []question) *result {
	c := &comparison{questions: questions, result: newResult()}
	var all sync.WaitGroup
	for range inFlight {
		all.Go(func() { c.work(s) })
	}
	all.Wait()
	return c.result
}

type comparison struct {
	questions []question
	next      atomic.Int64

	mu     sync.Mutex // guards result
	result *result
}

// work takes one question after the other until none is left.
func (c *comparison) work(s servers) {
	var askers [len(peerNames) + 1]*asker // ours is the last
	for i, addr := range append(s.peers[:], s.ours) {
		a, err := newAsker(addr)
		if err != nil {
			c.note(&verdict{kind: "no socket", failure: err.Error()})
			return
		}
		defer a.Close()
		askers[i] = a
	}
	for i := c.next.Add(1) - 1; i < int64(len(c.questions)); i = c.next.Add(1) - 1 {
		c.one(askers, &c.questions[i])
	}
}

func (c *comparison) one(askers [len(peerNames) + 1]*asker, q *question) {
	x := &exchange{question: q}
	ask := func(a *asker, q *question) *answer {
		msg, err := a.ask(q)
		if err != nil {
			return &answer{broken: err.Error()}
		}
		return read(q, msg)
	}
	for i, name := range peerNames {
		if !q.zone.refusedBy[name] {
			x.peers[i] = ask(askers[i], q)
		}
	}
	ours := askers[len(peerNames)]
	x.ours = ask(ours, q)
	if !q.form.tcp {
		byTCP := *q
		byTCP.form = q.form.overTCP()
		x.whole = ask(ours, &byTCP)
	}
	c.note(judge(x))
}

func (c *comparison) note(v *verdict) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.result.note(v)
}

// verdict is what came of one question.
type verdict struct {
	failure string   // the report, empty if all is well
	kind    string   // of the failure
	applied []string // names of the rules
	class   string   // how the peers disagree, empty if they do not
	example string   // of the class
}

// judge compares our answer with the peers'.
func judge(x *exchange) *verdict {
	v := &verdict{kind: fmt.Sprintf("zone %s, %s", x.question.zone.name, x.kind())}
	if wrong := incomplete(x); wrong != "" {
		v.failure = fmt.Sprintf("%s\n%s: by UDP\n%sby TCP\n%s", x.question, wrong, x.ours, x.whole)
		return v
	}
	for _, r := range rules {
		if r.apply(x) {
			v.applied = append(v.applied, r.name)
		}
	}
	texts := x.texts()
	if len(texts) > 1 {
		v.class, v.example = classify(x, texts), x.report(texts)
	}
	for _, c := range choices {
		if texts[x.ours.String()] == nil && len(texts) > 1 && c.apply(x) {
			v.applied = append(v.applied, c.name)
			texts = x.texts()
		}
	}
	if texts[x.ours.String()] == nil {
		v.failure = x.report(texts)
	}
	return v
}

// texts are the peers' answers, each with who gave it.
func (x *exchange) texts() map[string][]string {
	texts := make(map[string][]string)
	for i, a := range x.peers {
		if a != nil {
			texts[a.String()] = append(texts[a.String()], peerNames[i])
		}
	}
	return texts
}

// incomplete holds our answer by UDP against the one by TCP: without TC nothing
// may be missing but helpful addresses, and TC is only for want of room.
func incomplete(x *exchange) string {
	switch {
	case x.whole == nil || x.ours.broken != "" || x.whole.broken != "":
		return ""
	case x.ours.has("tc") && x.whole.size <= x.question.form.limit():
		return fmt.Sprintf("TC although %d octets are enough", x.whole.size)
	case x.ours.has("tc"):
		return ""
	case x.ours.size > x.question.form.limit():
		return fmt.Sprintf("%d octets are too many", x.ours.size)
	case essential(x.question, x.ours) != essential(x.question, x.whole):
		return "records are missing without TC"
	}
	return ""
}

func essential(q *question, a *answer) string {
	b := *a
	b.additional = slices.Clone(a.additional)
	dropHelpful(q, &b)
	return b.String()
}

// report shows the question and who said what.
func (x *exchange) report(texts map[string][]string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "zone %s: %s\n", x.question.zone.name, x.question)
	for _, name := range peerNames {
		for text, who := range texts {
			if who[0] == name {
				fmt.Fprintf(&b, "%s: %s", strings.Join(who, ", "), text)
			}
		}
	}
	fmt.Fprintf(&b, "secondaryd: %s", x.ours)
	return b.String()
}

// kind is what our answer is: one of the cases of RFC 1034 section 4.3.2.
func (x *exchange) kind() string {
	a := x.ours
	kind := "answer"
	switch {
	case a.broken != "":
		kind = "unreadable"
	case a.has("tc"):
		kind = "truncated"
	case a.isReferral():
		kind = "referral"
	case a.rcode != dns.RcodeSuccess && len(a.answer) == 0:
		kind = dns.RcodeToString[a.rcode]
	case holds(a.answer, dns.TypeDNAME) && x.question.qtype != dns.TypeDNAME:
		kind = "DNAME"
	case holds(a.answer, dns.TypeCNAME) && x.question.qtype != dns.TypeCNAME:
		kind = "CNAME"
	case len(a.answer) == 0:
		kind = "NODATA"
	}
	switch t := x.question.qtype; t {
	case dns.TypeANY, dns.TypeRRSIG, dns.TypeNSEC, dns.TypeNSEC3, dns.TypeDS, dns.TypeSOA, dns.TypeDNSKEY:
		kind += " to " + dns.Type(t).String()
	}
	return kind
}
