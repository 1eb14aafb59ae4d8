package registry

import (
	"context"
	"time"
)

// Transaction is what one call of Update did, as it is stored.
type Transaction struct {
	Revision uint64
	Time     time.Time
	Actor    Actor
	Changes  []Replacement // each object once
}

// news is what followers are told of transactions.
func news(transactions []Transaction) (changes []Change) {
	for _, t := range transactions {
		for _, r := range t.Changes {
			changes = append(changes, Change{Revision: t.Revision, Kind: r.Kind, ID: r.ID, Deleted: r.Value == nil})
		}
	}
	return changes
}

// Replacement is an object before and after: Value is what is stored from then
// on, Before what was. One without a value was deleted, one without a value
// before created.
type Replacement struct {
	Entry
	Before []byte
}

// Actor says who changed something, and by which request. The zero Actor is the
// daemon itself.
type Actor struct {
	Token     string `json:"token,omitempty"`      // id
	TokenName string `json:"token_name,omitempty"` // at that time
	Client    string `json:"client,omitempty"`     // address
	Request   string `json:"request,omitempty"`    // id, as in the log of the daemon
	Method    string `json:"method,omitempty"`
	Route     string `json:"route,omitempty"` // its pattern: a path may be anything, a secret included
}

type actorKey struct{}

// WithActor gives the Actor of the transactions that are made with a context.
func WithActor(ctx context.Context, actor Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, actor)
}

func actorOf(ctx context.Context) Actor {
	actor, _ := ctx.Value(actorKey{}).(Actor)
	return actor
}
