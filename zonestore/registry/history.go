package registry

import (
	"bytes"
	"cmp"
	"errors"
	"io/fs"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"secondaryd/zonestore/auditlog"
)

// HistoryItem is what the audit log tells next: one of its members is set.
type HistoryItem struct {
	Transaction *Transaction
	Snapshot    *Snapshot
	Missing     *Missing         // what should be here and is not
	Damage      *auditlog.Damage // of a file, which is read on behind it
}

// Snapshot begins a file of the log: what its objects were at a revision, and why
// the file was begun.
type Snapshot struct {
	Revision uint64
	Time     time.Time
	Objects  uint64
	Why      string
}

// Missing is revisions that are not in the log, from First to Last. What they have
// changed together is known if a whole file was before, and a snapshot is behind
// them; not who did it, nor in how many steps.
type Missing struct {
	First, Last uint64
	Changes     []Replacement
}

// History yields what the audit log in a configuration's folder tells, the oldest
// first, and an error that ends it. The daemon may write meanwhile. The memory of
// stored values is the reader's only until the next item.
func History(dir string) iter.Seq2[HistoryItem, error] {
	return func(yield func(HistoryItem, error) bool) {
		h := history{dir: filepath.Join(dir, auditName), yield: yield}
		for h.files() {
			continue // the daemon may have begun another one meanwhile
		}
	}
}

type history struct {
	dir      string
	yield    func(HistoryItem, error) bool
	file     uint64 // the last one that was read, or is
	before   uint64 // the one before it
	revision uint64 // the last one that is known
	known    bool
}

// files reads the files that have not been read yet, and reports whether there
// were any and more is wanted.
func (h *history) files() bool {
	numbers, err := auditlog.Files(h.dir)
	if err != nil {
		h.yield(HistoryItem{}, err)
		return false
	}
	read := false
	for _, number := range numbers {
		if number <= h.file {
			continue
		}
		h.before, h.file, read = h.file, number, true
		if !h.read(number) {
			return false
		}
	}
	return read
}

// read reads one file. One that is gone was to be kept no longer.
func (h *history) read(number uint64) bool {
	for item, err := range auditlog.Read(h.dir, number) {
		if errors.Is(err, fs.ErrNotExist) {
			return true
		}
		if damage, ok := errors.AsType[*auditlog.Damage](err); ok {
			return h.yield(HistoryItem{Damage: damage}, nil)
		}
		if err != nil {
			h.yield(HistoryItem{}, err)
			return false
		}
		if !h.item(item) {
			return false
		}
	}
	return true
}

func (h *history) item(item auditlog.Item) bool {
	if item.Damage != nil {
		return h.yield(HistoryItem{Damage: item.Damage}, nil)
	}
	if item.Record.Kind == auditlog.KindObjects {
		return true
	}
	told, err := tell(item.Record)
	if err != nil {
		return h.yield(HistoryItem{}, err)
	}
	return h.missing(item.Record) && h.yield(told, nil)
}

// missing tells of revisions that lie between the last one and this record.
func (h *history) missing(r auditlog.Record) bool {
	next, before := h.revision+1, r.Mark.Revision
	if r.Kind == auditlog.KindTransaction {
		before--
	}
	wanted := h.known && before >= next
	h.revision, h.known = r.Mark.Revision, true
	if !wanted {
		return true
	}
	m := &Missing{First: next, Last: before}
	if r.Kind == auditlog.KindSnapshot {
		m.Changes = h.between()
	}
	return h.yield(HistoryItem{Missing: m}, nil)
}

// between compares the end of the file before with the snapshot of this one.
func (h *history) between() (changes []Replacement) {
	was, wasKnown := values(h.dir, h.before, false)
	is, isKnown := values(h.dir, h.file, true)
	if !wasKnown || !isKnown {
		return nil
	}
	for k, value := range is {
		if !bytes.Equal(was[k], value) {
			changes = append(changes, Replacement{Entry{k.kind, k.id, value}, was[k]})
		}
	}
	for k, value := range was {
		if is[k] == nil {
			changes = append(changes, Replacement{Entry{Kind: k.kind, ID: k.id}, value})
		}
	}
	slices.SortFunc(changes, func(a, b Replacement) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), strings.Compare(a.ID, b.ID))
	})
	return changes
}

// values gives all objects as of the snapshot that a file begins with, or as of
// its end; false if the file does not tell.
func values(dir string, number uint64, snapshot bool) (map[key][]byte, bool) {
	state, chain := map[key][]byte{}, auditlog.Chain{}
	for item, err := range auditlog.Read(dir, number) {
		if err == nil && item.Damage != nil {
			if item.Damage.AtEnd {
				break
			}
			err = item.Damage
		}
		if err == nil {
			err = chain.Next(item.Record)
		}
		if err == nil {
			var note struct{}
			err = decodeBody(item.Record.Body, &note, func(r Replacement) error {
				if state[key{r.Kind, r.ID}] = bytes.Clone(r.Value); r.Value == nil {
					delete(state, key{r.Kind, r.ID})
				}
				return nil
			})
		}
		if err != nil {
			return nil, false
		}
		if snapshot && item.Record.Kind == auditlog.KindSnapshot {
			break
		}
	}
	return state, chain.Whole()
}

// tell decodes a record.
func tell(r auditlog.Record) (HistoryItem, error) {
	if r.Kind == auditlog.KindSnapshot {
		var note snapshotNote
		err := decodeBody(r.Body, &note, func(Replacement) error { return nil })
		return HistoryItem{Snapshot: &Snapshot{r.Mark.Revision, note.Time, r.Mark.Count, note.Why}}, err
	}
	var note transactionNote
	t := &Transaction{Revision: r.Mark.Revision}
	err := decodeBody(r.Body, &note, func(c Replacement) error {
		t.Changes = append(t.Changes, c)
		return nil
	})
	t.Time, t.Actor = note.Time, note.Actor
	return HistoryItem{Transaction: t}, err
}
