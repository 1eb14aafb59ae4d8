package transfer

import (
	"secondaryd/internal/background"
	"secondaryd/internal/hugepage"
)

// heavy sees to a transfer that turns out to be large: it stands back behind
// answers from then on, is read in large pieces, and what it allocates lies in huge
// pages, since otherwise touching new memory would be a third of its work.
type heavy struct {
	work   *background.Work // that the transfer is part of
	intake *intake          // where it comes from
	next   int64            // octets at which there is something to do
	filled func()
}

const (
	// large is the octets from which on that is worth while.
	large = 4 << 20
	// heapAhead is the octets of heap that are made ready at a time, and
	// streamAhead those of the stream that make a zone of about that size, with
	// what is dropped on the way. What is not needed is never touched.
	heapAhead   = 96 << 20
	streamAhead = 40 << 20
)

// received is told how many octets have come by now.
func (h *heavy) received(octets int64) {
	if octets < max(h.next, large) {
		return
	}
	h.end()
	h.work.Begin()
	h.intake.readBulk()
	h.filled = hugepage.Reserve(heapAhead)
	h.next = octets + streamAhead
}

// end is to be called when what was made ready is used, or not needed.
func (h *heavy) end() {
	if h.filled != nil {
		h.filled()
	}
}
