package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"secondaryd/internal/apiclient"
)

// bulkChunk is how many zones are sent at once: few enough that who looks on sees
// it go on.
const bulkChunk = 1000

// What came of a zone that was one of many.
const (
	outcomeAdded   = "added"
	outcomeRemoved = "removed"
	outcomeThere   = "there already"
	outcomeMissing = "not found"
	outcomeRefused = "refused"
	outcomeUntried = "not done"
)

// bulkZone is one zone of many, and what came of it.
type bulkZone struct {
	Line   int      `json:"line,omitempty"` // of the file that names it
	Name   string   `json:"name"`           // as it was given
	ID     string   `json:"id,omitempty"`
	Result string   `json:"result"`
	Errors []string `json:"errors,omitempty"`

	account string
	create  apiclient.Object // what is to be created; nil: the zone is to be deleted
}

// bulkWork sends many zones to the API and shows how it goes on.
type bulkWork struct {
	client *apiclient.Client
	show   *progress
	zones  []*bulkZone // in the order in which they are told of
}

// run has the zones done that are not decided yet. After an error of the server
// those that are left stay outcomeUntried.
func (b *bulkWork) run(ctx context.Context) error {
	var left []*bulkZone
	for _, z := range b.zones {
		if z.Result == "" {
			z.Result = outcomeUntried
			left = append(left, z)
		}
	}
	slices.SortStableFunc(left, func(x, y *bulkZone) int { return strings.Compare(x.account, y.account) })
	defer b.show.end()
	for len(left) > 0 {
		n := 1
		for n < min(len(left), bulkChunk) && left[n].account == left[0].account {
			n++
		}
		if err := b.send(ctx, left[:n]); err != nil {
			return fmt.Errorf("%w\n%s; the same command may be given again", err, b.tally())
		}
		left = left[n:]
		b.show.show(b.tally())
	}
	return nil
}

// send does zones of one account, which are all created or all deleted.
func (b *bulkWork) send(ctx context.Context, zones []*bulkZone) error {
	var request apiclient.Bulk
	for _, z := range zones {
		if z.create == nil {
			request.Delete = append(request.Delete, apiclient.BulkDeletion{ID: z.ID})
		} else {
			request.Create = append(request.Create, z.create)
		}
	}
	result, err := b.client.Bulk(ctx, zones[0].account, request)
	if err != nil {
		return err
	}
	for i, outcome := range append(result.Delete, result.Create...) {
		z := zones[i]
		switch {
		case len(outcome.Errors) == 0 && z.create == nil:
			z.Result = outcomeRemoved
		case len(outcome.Errors) == 0:
			z.Result, z.ID = outcomeAdded, outcome.ID
		case outcome.Errors[0].Trouble():
			err = errors.New(outcome.Errors[0].String())
		default:
			z.refuse(outcome.Errors)
		}
	}
	return err
}

// refuse notes why. Where in the request a fault lies is of use only within the
// zone.
func (z *bulkZone) refuse(faults []apiclient.Fault) {
	z.Result = outcomeRefused
	for _, f := range faults {
		parts := strings.SplitN(f.Source.Pointer, "/", 4) // nothing, the list, the index, and the rest
		if f.Source.Pointer = ""; len(parts) == 4 {
			f.Source.Pointer = "/" + parts[3]
		}
		z.Errors = append(z.Errors, f.String())
	}
}

// count is how many zones have come to a result.
func (b *bulkWork) count(result string) (n int) {
	for _, z := range b.zones {
		if z.Result == result {
			n++
		}
	}
	return n
}

// tally says how many zones came to which result.
func (b *bulkWork) tally() string {
	parts := []string{fmt.Sprintf("of %d zones", len(b.zones))}
	for _, result := range []string{outcomeAdded, outcomeRemoved, outcomeThere, outcomeMissing, outcomeRefused, outcomeUntried} {
		if n := b.count(result); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, result))
		}
	}
	return strings.Join(parts, ", ")
}

// print tells what came of the zones: those alone that somebody has to see to, or
// in JSON all.
func (b *bulkWork) print(r *remote, w io.Writer) error {
	result, err := json.Marshal(b.zones)
	if err != nil {
		return err
	}
	return r.print(w, result, func(w io.Writer) error {
		for _, z := range b.zones {
			if z.Result == outcomeMissing || z.Result == outcomeRefused {
				fmt.Fprintf(w, "%s%s: %s\n", z.place(), harmless(z.Name), harmless(strings.Join(append([]string{z.Result}, z.Errors...), ": ")))
			}
		}
		_, err := fmt.Fprintln(w, b.tally())
		return err
	})
}

// place says where the zone stands in its file.
func (z *bulkZone) place() string {
	if z.Line == 0 {
		return ""
	}
	return fmt.Sprintf("line %d: ", z.Line)
}

// failure is the error of the whole when a part did not work.
func (b *bulkWork) failure() error {
	if n := b.count(outcomeRefused); n > 0 {
		return refusedError{fmt.Errorf("%d zones were refused", n)}
	}
	if n := b.count(outcomeMissing); n > 0 {
		return &apiclient.NotFoundError{Kind: "zone", Name: fmt.Sprintf("by %d of the %d names", n, len(b.zones))}
	}
	return nil
}

// finish runs the work, prints it, and says what has failed: of work that was cut
// short, what cut it short, for the rest may work later.
func (b *bulkWork) finish(ctx context.Context, r *remote, w io.Writer) error {
	if err := b.run(ctx); err != nil {
		return errors.Join(err, b.printPartly(r, w))
	}
	if err := b.print(r, w); err != nil {
		return err
	}
	return b.failure()
}

// printPartly prints in JSON what was done before an error; for people the error
// tells it.
func (b *bulkWork) printPartly(r *remote, w io.Writer) error {
	if r.output != outputJSON {
		return nil
	}
	return b.print(r, w)
}
