package transfer

import "sync/atomic"

// budget bounds the octets that all running transfers hold together.
type budget struct {
	limit int64
	used  atomic.Int64
}

// take adds n octets to what is held, unless that is too much.
func (b *budget) take(n int64) bool {
	if b.used.Add(n) <= b.limit {
		return true
	}
	b.used.Add(-n)
	return false
}

func (b *budget) give(n int64) { b.used.Add(-n) }
