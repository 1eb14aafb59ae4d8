package registry

import (
	"bytes"
	"math"
	"time"
)

// readZone reads what encode wrote of a zone. There may be hundreds of thousands of
// them at a start, so the usual form is read without reflection, and any other, with
// escapes in its strings or white space, by encoding/json.
func readZone(payload []byte) (storedZone, error) {
	if stored, ok := scanZone(payload); ok {
		return stored, nil
	}
	return unmarshal[storedZone](payload)
}

func scanZone(payload []byte) (stored storedZone, ok bool) {
	s := scanner{rest: payload}
	s.expect(`{"account":`)
	stored.Account = s.text()
	s.expect(`,"name":`)
	stored.Name = s.text()
	s.expect(`,"auto_refresh":`)
	stored.AutoRefresh = s.number(math.MaxUint32)
	s.expect(`,"peers":[`)
	stored.Peers = append(make([]string, 0, 1), s.text())
	for s.skip(`,`) {
		stored.Peers = append(stored.Peers, s.text())
	}
	if s.expect(`]`); s.skip(`,"max_shrink":`) {
		percent := uint8(s.number(math.MaxUint8))
		stored.MaxShrink = &percent
	}
	s.expect(`,"created":`)
	stored.Created = s.time()
	s.expect(`,"modified":`)
	stored.Modified = s.time()
	s.expect(`}`)
	return stored, !s.failed && len(s.rest) == 0
}

// scanner reads JSON as encoding/json writes it. Once it has failed, nothing that
// it returns means anything.
type scanner struct {
	rest   []byte
	failed bool
}

func (s *scanner) fail() { s.rest, s.failed = nil, true }

// skip reports whether text comes next, and goes behind it.
func (s *scanner) skip(text string) (found bool) {
	if len(s.rest) < len(text) || string(s.rest[:len(text)]) != text {
		return false
	}
	s.rest = s.rest[len(text):]
	return true
}

func (s *scanner) expect(text string) {
	if !s.skip(text) {
		s.fail()
	}
}

// quoted reads a string in which every octet stands for itself.
func (s *scanner) quoted() []byte {
	s.expect(`"`)
	end := bytes.IndexByte(s.rest, '"')
	if end < 0 {
		s.fail()
		return nil
	}
	text := s.rest[:end]
	for _, c := range text {
		if c < ' ' || c > '~' || c == '\\' {
			s.fail()
			return nil
		}
	}
	s.rest = s.rest[end+1:]
	return text
}

func (s *scanner) text() string { return string(s.quoted()) }

func (s *scanner) time() (t time.Time) {
	if text := s.quoted(); t.UnmarshalText(text) != nil {
		s.fail()
	}
	return t
}

// number reads a natural number up to limit, without leading zeros.
func (s *scanner) number(limit uint64) uint32 {
	var n uint64
	digits := 0
	for ; digits < len(s.rest) && '0' <= s.rest[digits] && s.rest[digits] <= '9'; digits++ {
		if n = 10*n + uint64(s.rest[digits]-'0'); n > limit {
			break
		}
	}
	if digits == 0 || n > limit || digits > 1 && s.rest[0] == '0' {
		s.fail()
		return 0
	}
	s.rest = s.rest[digits:]
	return uint32(n)
}
