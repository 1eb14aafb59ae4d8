package registry

import (
	"bytes"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"

	"secondaryd/zonestore/auditlog"
)

// replayBatch is how many objects are stored at a time.
const replayBatch = 4096

// replay makes a configuration anew from the audit log: the snapshot that a file
// begins with, and every transaction since. It believes nothing that does not
// fit: each revision follows the one before, each object is what its replacement
// says it was, and number and sum of all are those that were logged.
type replay struct {
	file   *boltFile
	tx     *bbolt.Tx
	stored int // objects in tx
	sum    head
	whole  bool             // the snapshot has been read
	damage *auditlog.Damage // the last one, if nothing has followed that continues what was before
}

// rebuilt is a configuration that was made anew.
type rebuilt struct {
	file     *boltFile
	revision uint64
	damage   *auditlog.Damage // what follows the last record that could be read
}

// rebuild makes the file at path from the newest files of a log that are enough.
// Just before it is put in place, it calls aside.
func rebuild(path, dir string, aside func() error) (rebuilt, error) {
	numbers, err := auditlog.Files(dir)
	if err == nil && len(numbers) == 0 {
		err = fmt.Errorf("there is no audit log in %s", dir)
	}
	problems := []error{err}
	for i := len(numbers) - 1; i >= 0; i-- {
		var r replay
		file, err := createBolt(path, func(file *boltFile) error {
			r.file = file
			if err := r.files(dir, numbers[i:]); err != nil {
				return err
			}
			if _, err := file.load(func(Entry) error { return nil }); err != nil {
				return err
			}
			return aside()
		})
		if err == nil {
			return rebuilt{file, r.sum.revision, r.damage}, nil
		}
		problems = append(problems, fmt.Errorf("from %s on: %w", auditlog.Path(dir, numbers[i]), err))
	}
	return rebuilt{}, errors.Join(problems...)
}

// files replays files of which each continues the one before.
func (r *replay) files(dir string, numbers []uint64) error {
	defer r.rollback()
	r.sum.version = headVersion
	for _, number := range numbers {
		for item, err := range auditlog.Read(dir, number) {
			if err == nil {
				err = r.take(item)
			}
			if err != nil {
				return fmt.Errorf("%s, octet %d: %w", auditlog.Path(dir, number), item.Offset, err)
			}
		}
	}
	if !r.whole {
		return errors.New("there is no whole snapshot")
	}
	return r.commit()
}

func (r *replay) take(item auditlog.Item) error {
	record := item.Record
	switch {
	case item.Damage != nil:
		if r.damage = item.Damage; !r.whole {
			return item.Damage
		}
		return nil
	case record.Kind == auditlog.KindTransaction:
		return r.transaction(record)
	case !r.whole:
		return r.objects(record)
	case record.Mark != r.sum.mark():
		return fmt.Errorf("a snapshot of revision %d follows revision %d: %w", record.Mark.Revision, r.sum.revision, r.broken())
	}
	r.damage = nil
	return nil
}

// broken says why something is missing.
func (r *replay) broken() error {
	if r.damage != nil {
		return r.damage
	}
	return errors.New("what is between is missing")
}

// objects stores those of a snapshot.
func (r *replay) objects(record auditlog.Record) error {
	var note snapshotNote
	err := decodeBody(record.Body, &note, func(o Replacement) error { return r.store(o) })
	if err != nil || record.Kind == auditlog.KindObjects {
		return err
	}
	r.whole, r.sum.revision = true, record.Mark.Revision
	return r.compare(record.Mark)
}

func (r *replay) transaction(record auditlog.Record) error {
	switch {
	case !r.whole:
		return errors.New("the file begins without a snapshot")
	case record.Mark.Revision != r.sum.revision+1:
		return fmt.Errorf("revision %d follows revision %d: %w", record.Mark.Revision, r.sum.revision, r.broken())
	}
	var note transactionNote
	if err := decodeBody(record.Body, &note, r.store); err != nil {
		return fmt.Errorf("revision %d: %w", record.Mark.Revision, err)
	}
	r.sum.revision, r.damage = record.Mark.Revision, nil
	return r.compare(record.Mark)
}

// compare finds out whether all is as it was when a record was written.
func (r *replay) compare(mark auditlog.Mark) error {
	if got := r.sum.mark(); got != mark {
		return fmt.Errorf("revision %d has %d objects, not the %d that were logged, or others", mark.Revision, got.Count, mark.Count)
	}
	return nil
}

// store replaces an object.
func (r *replay) store(o Replacement) (err error) {
	if o.Value != nil {
		if _, err := checkValue(o.Entry); err != nil {
			return err
		}
	}
	if r.tx == nil {
		if r.tx, err = r.file.db.Begin(true); err != nil {
			return err
		}
	}
	o.Value = bytes.Clone(o.Value) // bbolt keeps it until it commits, the reader of the log only until the next record
	before, err := replace(r.tx, &r.sum, o.Entry)
	if err != nil {
		return err
	}
	if !bytes.Equal(before, o.Before) {
		return fmt.Errorf("%s %q was not what its replacement says it was", o.Kind, o.ID)
	}
	if r.stored++; r.stored < replayBatch {
		return nil
	}
	return r.commit()
}

// commit stores what has been replayed, with a head that fits it.
func (r *replay) commit() error {
	if r.tx == nil {
		return r.file.db.Update(r.putHead)
	}
	tx := r.tx
	r.tx, r.stored = nil, 0
	if err := r.putHead(tx); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	return tx.Commit()
}

// rollback ends what was not committed, for which closing the file would wait.
func (r *replay) rollback() {
	if r.tx != nil {
		_ = r.tx.Rollback()
		r.tx = nil
	}
}

func (r *replay) putHead(tx *bbolt.Tx) error {
	return tx.Bucket(metaBucket).Put(headKey, r.sum.encode())
}

// rewrite makes the file at path anew with these objects.
func rewrite(path string, revision uint64, objects func(yield func(Entry) bool)) (*boltFile, error) {
	return createBolt(path, func(file *boltFile) error {
		r := replay{file: file, whole: true, sum: head{version: headVersion, revision: revision}}
		defer r.rollback()
		for e := range objects {
			if err := r.store(Replacement{Entry: e}); err != nil {
				return err
			}
		}
		return r.commit()
	})
}
