package bench

import (
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A summary is what of an answer must be the same whoever gives it. Answers that
// exist may come with more or fewer records in the other sections.
type summary struct {
	rcode         int
	authoritative bool
	truncated     bool
	answer        int
	authority     int // without an answer only
	additional    int // of a referral only
}

func summarize(msg []byte) (summary, error) {
	var m dns.Msg
	if err := m.Unpack(msg); err != nil {
		return summary{}, err
	}
	s := summary{rcode: m.Rcode, authoritative: m.Authoritative, truncated: m.Truncated, answer: len(m.Answer)}
	if s.answer == 0 {
		s.authority = len(m.Ns)
	}
	if !m.Authoritative {
		s.additional = len(m.Extra)
	}
	return s, nil
}

const (
	samples     = 1000
	shown       = 5 // differences of one server
	sampleLimit = time.Second
)

// askAlike asks all servers a sample of the queries, and fails where their
// answers are not alike.
func askAlike(t *testing.T, servers []*secondary, queries [][]byte) {
	t.Helper()
	first := make([]summary, samples)
	for _, s := range servers {
		asker, different := newAsker(t, s.addr), 0
		for i := range samples {
			query := queries[i*len(queries)/samples]
			msg, err := asker.UDP(query, sampleLimit)
			if err != nil {
				t.Fatalf("%s: %s: %v", s.name, text(query), err)
			}
			got, err := summarize(msg)
			if err != nil {
				t.Fatalf("%s: %s: %v", s.name, text(query), err)
			}
			if s == servers[0] {
				first[i] = got
			}
			if got == first[i] {
				continue
			}
			if different++; different <= shown {
				t.Errorf("%s: %s answers %+v, %s %+v", text(query), servers[0].name, first[i], s.name, got)
			}
		}
		if different > 0 {
			t.Fatalf("%s answers %d of %d questions otherwise than %s, so they do different work", s.name, different, samples, servers[0].name)
		}
	}
}

// text is the question of a query.
func text(query []byte) string {
	var m dns.Msg
	if err := m.Unpack(query); err != nil || len(m.Question) != 1 {
		return fmt.Sprintf("%x", query)
	}
	q := m.Question[0]
	return q.Name + " " + dns.TypeToString[q.Qtype]
}
