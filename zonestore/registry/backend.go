package registry

import "context"

// Backend is where the objects live durably. The registry calls one method at
// a time.
//
// Load calls yield for each object, kind by kind, and returns the revision of
// the last commit. The entry's memory is yield's only during the call. Objects
// that fail their check are a *DamageError that names them, then or when they are
// decoded.
//
// Commit writes all transactions or none, in their order, and returns after they
// are on disk. If a guard does not hold it changes nothing and returns
// ErrConflict. Guards cover objects; what holds of sets (who uses a peer, who has
// a name) is kept by the registry as the only writer of its backend.
type Backend interface {
	Load(yield func(Entry) error) (revision uint64, err error)
	Commit(ctx context.Context, batch Batch) error
	Close() error
}

// Entry is one stored object: an encoded value under its kind and id.
type Entry struct {
	Kind  Kind
	ID    string
	Value []byte
}

// Batch is one or several whole transactions that become durable together.
type Batch struct {
	Guards       []Guard // what must hold of the stored objects before
	Transactions []Transaction
}

// Guard is a precondition: the object's stored revision, 0 for none stored.
type Guard struct {
	Kind     Kind
	ID       string
	Revision uint64
}
