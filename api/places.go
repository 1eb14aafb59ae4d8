package api

import "sync"

// places bounds how much work of a kind runs at once. Of one account only a part
// of it may, so that nobody keeps the others from theirs. It is safe for
// concurrent use.
type places struct {
	most, each int // in all, and of an account

	mu       sync.Mutex // guards the fields below
	taken    int
	accounts map[string]int // places that each has taken
}

func newPlaces(most, each int) *places {
	return &places{most: most, each: each, accounts: make(map[string]int)}
}

// begin reports whether there is a place for an account, or if that is empty for
// somebody whom no account confines. If so, its end is called for.
func (p *places) begin(account string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken == p.most || account != "" && p.accounts[account] == p.each {
		return false
	}
	p.taken++
	if account != "" {
		p.accounts[account]++
	}
	return true
}

func (p *places) end(account string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if p.accounts[account]--; p.accounts[account] <= 0 {
		delete(p.accounts, account)
	}
}
