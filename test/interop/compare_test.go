package interop

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// inFlight is how many questions are asked at once.
const inFlight = 16

// maxShown is how many differences are shown in full.
const maxShown = 20

// result is what a comparison found.
type result struct {
	questions   int
	compared    int // records of the zone that the server under test gave out, the same to the octet
	hidden      int // records that the zone's cuts rightly hide
	unproven    int // proofs that no answer needed
	differences []string
}

func (r *result) differ(format string, args ...any) {
	r.differences = append(r.differences, fmt.Sprintf(format, args...))
}

// compare asks both servers everything about the zone that theirs handed out.
func compare(z *zone, ours, theirs netip.AddrPort, probeEvery int) *result {
	c := &comparison{zone: z, questions: z.questions(probeEvery), seen: make(map[record]bool)}
	var all sync.WaitGroup
	for range inFlight {
		all.Go(func() { c.work(ours, theirs) })
	}
	all.Wait()
	c.result.questions = len(c.questions)
	for _, r := range z.records {
		switch seen, hidden := c.seen[r], z.hidden(r); {
		case seen && hidden:
			c.result.differ("given out although a cut hides it: %s", r)
		case seen:
			c.result.compared++
		case hidden:
			c.result.hidden++
		case z.proof(r):
			c.result.unproven++
		default:
			c.result.differ("never given out as transferred: %s", r)
		}
	}
	return &c.result
}

type comparison struct {
	zone      *zone
	questions []rrset
	next      atomic.Int64

	mu     sync.Mutex // guards the fields below
	result result
	seen   map[record]bool // all that the server under test gave out
}

// work takes one question after the other until none is left.
func (c *comparison) work(ours, theirs netip.AddrPort) {
	p, err := newPair(ours, theirs, c.zone.signed)
	if err != nil {
		c.note(nil, "%v", err)
		return
	}
	defer p.close()
	for i := c.next.Add(1) - 1; i < int64(len(c.questions)); i = c.next.Add(1) - 1 {
		c.one(p, c.questions[i])
	}
}

func (c *comparison) one(p pair, q rrset) {
	got, want, err := p.ask(c.zone, q)
	if err != nil {
		c.note(nil, "%s %s: %v", q.owner, typeName(q.rtype), err)
		return
	}
	if diff := cmp.Diff(c.zone.view(want), c.zone.view(got)); diff != "" {
		c.note(got, "%s %s (-primary +secondaryd):\n%s", q.owner, typeName(q.rtype), diff)
		return
	}
	c.note(got, "")
}

// note keeps what an answer showed, and a difference when format is not empty.
func (c *comparison) note(m *message, format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if format != "" {
		c.result.differ(format, args...)
	}
	if m == nil {
		return
	}
	for _, section := range [][]record{m.answer, m.authority, m.additional} {
		for _, r := range section {
			c.seen[r] = true
		}
	}
}

// report fails the test when there are differences, and shows the first ones.
func (r *result) report(t *testing.T, server string) {
	t.Helper()
	t.Logf("%s: records compared: %d, differences: %d (questions: %d, hidden by cuts: %d, not needed: %d)",
		server, r.compared, len(r.differences), r.questions, r.hidden, r.unproven)
	for _, d := range r.differences[:min(maxShown, len(r.differences))] {
		t.Error(d)
	}
	if more := len(r.differences) - maxShown; more > 0 {
		t.Errorf("and %d more", more)
	}
}
