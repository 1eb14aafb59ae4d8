package auditlog

import "fmt"

// Chain follows the records of one file, or of one and its followers, and finds
// out whether they lead without a gap from a snapshot to the last of them.
// The zero Chain waits for a snapshot.
type Chain struct {
	mark  Mark
	whole bool // a snapshot has been read to its end
	inner bool // in the midst of one
}

// Whole reports whether the configuration is known: a snapshot, and every
// transaction since.
func (c *Chain) Whole() bool { return c.whole && !c.inner }

// Mark is that of the last record.
func (c *Chain) Mark() Mark { return c.mark }

// Next takes in a record, or says why it does not continue those before. A
// snapshot continues what leads to its revision, and begins anew elsewhere.
func (c *Chain) Next(r Record) error {
	if r.Kind != KindTransaction {
		return c.snapshot(r)
	}
	switch {
	case !c.Whole():
		return fmt.Errorf("revision %d follows no snapshot", r.Mark.Revision)
	case r.Mark.Revision != c.mark.Revision+1:
		return fmt.Errorf("revision %d follows revision %d", r.Mark.Revision, c.mark.Revision)
	}
	c.mark = r.Mark
	return nil
}

func (c *Chain) snapshot(r Record) error {
	if c.inner && r.Mark != c.mark {
		return fmt.Errorf("a snapshot of revision %d goes on as one of revision %d", c.mark.Revision, r.Mark.Revision)
	}
	c.mark, c.whole, c.inner = r.Mark, true, r.Kind == KindObjects
	return nil
}
