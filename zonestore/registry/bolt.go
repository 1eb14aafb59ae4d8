package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"

	"secondaryd/internal/durable"
)

const (
	boltPageSize = 4096    // the same on every machine, so that files can be carried over
	boltGrowth   = 1 << 20 // octets by which a large file grows
	boltTimeout  = time.Second
	fileMode     = 0o600
)

var (
	metaBucket = []byte("meta")
	headKey    = []byte("head")
)

// boltFile is one copy of the configuration in a bbolt file: a bucket for each
// kind, ids as keys, and in the bucket "meta" the head, which sums up the rest.
type boltFile struct {
	path string
	db   *bbolt.DB
}

// openBolt opens a copy that exists. It looks at the structure of the file
// first: bbolt maps the file and trusts it, and on a damaged one it may not
// return an error but end the process or never return.
func openBolt(path string) (*boltFile, error) {
	if err := checkBolt(path); err != nil {
		return nil, err
	}
	return openBoltUnchecked(path)
}

func openBoltUnchecked(path string) (*boltFile, error) {
	db, err := guard(func() (*bbolt.DB, error) {
		return bbolt.Open(path, fileMode, &bbolt.Options{
			Timeout: boltTimeout, PageSize: boltPageSize,
			// The free list is made from the tree at start: one thing less on
			// disk that could be damaged, and less to write in a commit.
			FreelistType: bbolt.FreelistMapType, NoFreelistSync: true,
		})
	})
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.AllocSize = boltGrowth
	return &boltFile{path: path, db: db}, nil
}

// createBolt makes a new copy beside path and moves it there when it is whole and
// on disk. fill stores what belongs in it.
func createBolt(path string, fill func(*boltFile) error) (*boltFile, error) {
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	file, err := openBoltUnchecked(fresh)
	if err != nil {
		return nil, err
	}
	file.db.NoSync = true // once, at the end
	if err = file.db.Update(createBuckets); err == nil {
		err = fill(file)
	}
	if err = errors.Join(err, file.db.Sync(), file.Close()); err != nil {
		return nil, fmt.Errorf("create %s: %w", path, errors.Join(err, os.Remove(fresh)))
	}
	if err := os.Rename(fresh, path); err != nil {
		return nil, err
	}
	if err := durable.SyncDir(filepath.Dir(path), (*os.File).Sync); err != nil {
		return nil, err
	}
	return openBoltUnchecked(path)
}

func createBuckets(tx *bbolt.Tx) error {
	meta, err := tx.CreateBucket(metaBucket)
	if err != nil {
		return err
	}
	for _, kind := range kinds {
		if _, err := tx.CreateBucket(bucketName(kind)); err != nil {
			return err
		}
	}
	return meta.Put(headKey, head{version: headVersion}.encode())
}

// bucketName is where the objects of a kind lie. It is stored.
func bucketName(kind Kind) []byte { return []byte(kind.String()) }

// Load implements Backend, for a file that was verified when it was opened.
func (f *boltFile) Load(yield func(Entry) error) (revision uint64, err error) {
	h, err := f.view(func(tx *bbolt.Tx, _ head) error { return each(tx, yield) })
	return h.revision, err
}

// load is Load that verifies. Beyond each object's own checksum it compares
// number and sum of all objects with the head, so an object that has vanished is
// noticed too.
func (f *boltFile) load(yield func(Entry) error) (head, error) {
	return f.view(func(tx *bbolt.Tx, want head) error {
		got := head{version: want.version, revision: want.revision}
		err := each(tx, func(e Entry) error {
			got.add(e)
			_, err := checkValue(e)
			if err == nil {
				err = yield(e)
			}
			if damage, ok := errors.AsType[*DamageError](err); ok {
				damage.Path = f.path
			}
			return err
		})
		if err == nil && got != want {
			return &DamageError{Path: f.path, Detail: fmt.Sprintf("holds %d objects where %d belong, or others", got.count, want.count)}
		}
		return err
	})
}

// each yields what a file holds, kind by kind. The memory of a value is yield's only
// during the call.
func each(tx *bbolt.Tx, yield func(Entry) error) error {
	for _, kind := range kinds {
		bucket := tx.Bucket(bucketName(kind))
		if bucket == nil {
			continue // the file is older than the kind, or the head will tell that objects are missing
		}
		err := bucket.ForEach(func(id, value []byte) error { return yield(Entry{kind, string(id), value}) })
		if err != nil {
			return err
		}
	}
	return nil
}

// view calls read with the head and all that belongs to it, and returns the head.
func (f *boltFile) view(read func(*bbolt.Tx, head) error) (head, error) {
	return guard(func() (h head, err error) {
		err = f.db.View(func(tx *bbolt.Tx) error {
			if h, err = f.readHead(tx); err != nil {
				return err
			}
			return read(tx, h)
		})
		return h, err
	})
}

// head returns the head alone.
func (f *boltFile) head() (head, error) {
	return f.view(func(*bbolt.Tx, head) error { return nil })
}

// Commit implements Backend.
func (f *boltFile) Commit(_ context.Context, batch Batch) error {
	_, err := f.commit(batch)
	return err
}

// commit is Commit that enters in each change what was stored before, and returns
// the head after each transaction.
func (f *boltFile) commit(batch Batch) ([]head, error) {
	return guard(func() (heads []head, err error) {
		err = f.db.Update(func(tx *bbolt.Tx) error {
			heads, err = f.apply(tx, batch)
			return err
		})
		return heads, err
	})
}

func (f *boltFile) apply(tx *bbolt.Tx, batch Batch) (heads []head, err error) {
	sum, err := f.readHead(tx)
	if err != nil {
		return nil, err
	}
	for _, g := range batch.Guards {
		if err := holds(tx, g); err != nil {
			return nil, err
		}
	}
	for _, t := range batch.Transactions {
		for i := range t.Changes {
			if t.Changes[i].Before, err = replace(tx, &sum, t.Changes[i].Entry); err != nil {
				return nil, err
			}
		}
		sum.revision = t.Revision
		heads = append(heads, sum)
	}
	return heads, tx.Bucket(metaBucket).Put(headKey, sum.encode())
}

// replace stores an entry and returns a copy of what was there before.
func replace(tx *bbolt.Tx, sum *head, e Entry) (before []byte, err error) {
	bucket, err := tx.CreateBucketIfNotExists(bucketName(e.Kind))
	if err != nil {
		return nil, err
	}
	id := []byte(e.ID)
	if before = bytes.Clone(bucket.Get(id)); before != nil {
		sum.remove(Entry{e.Kind, e.ID, before})
	}
	if e.Value == nil {
		return before, bucket.Delete(id)
	}
	sum.add(e)
	return before, bucket.Put(id, e.Value)
}

// holds compares a guard with what is stored.
func holds(tx *bbolt.Tx, g Guard) error {
	var value []byte
	if bucket := tx.Bucket(bucketName(g.Kind)); bucket != nil {
		value = bucket.Get([]byte(g.ID))
	}
	var revision uint64
	if value != nil {
		var err error
		if revision, err = checkValue(Entry{g.Kind, g.ID, value}); err != nil {
			return err
		}
	}
	if revision != g.Revision {
		return fmt.Errorf("%s %s: %w", g.Kind, g.ID, ErrConflict)
	}
	return nil
}

// Close implements Backend.
func (f *boltFile) Close() error { return f.db.Close() }

func (f *boltFile) readHead(tx *bbolt.Tx) (head, error) {
	bucket := tx.Bucket(metaBucket)
	if bucket == nil {
		return head{}, &DamageError{Path: f.path, Detail: "the bucket meta is missing"}
	}
	h, err := decodeHead(bucket.Get(headKey))
	switch {
	case errors.Is(err, ErrNewer):
		return head{}, fmt.Errorf("%s: %w", f.path, err)
	case err != nil:
		return head{}, &DamageError{Path: f.path, Detail: err.Error()}
	}
	return h, nil
}

// guard turns a panic of bbolt, or a fault on its mapped file (a disk that
// fails while the daemon runs), into an error.
func guard[T any](fn func() (T, error)) (result T, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	return fn()
}
