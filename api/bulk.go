package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"go.uber.org/zap"

	"secondaryd/zonestore/registry"
)

// bulkPath stands under an account.
const bulkPath = "/secondaryd/zones/bulk"

// Bounds on bulk requests, each of which is in memory as a whole.
const (
	maxBulk       = 10_000       // zones in one
	maxBulkWeight = maxBulk * 48 // of its values: an object, its members and 30 peers to a zone
	maxBulks      = 4            // at once
	maxBulkFaults = 5            // of a zone that are told
	bulkTime      = 10 * time.Minute
)

// bulk is a request about many zones of an account. Each of them is done or
// refused by itself: what is wrong with one is no matter of the others.
type bulk struct {
	account string
	entries []bulkEntry // deletions, then creations: a name may go and come
	deleted int         // how many of them are deletions
	ids     string      // how the ids begin that are made
}

// madeDigits is how many digits of an id count the zones of a request. Ids that
// follow one another lie together on disk: a commit writes a tenth of the pages
// that it would with ids from all over the file.
const madeDigits = 8

// newID makes the next id.
func (b *bulk) newID() string { return fmt.Sprintf("%s%0*x", b.ids, madeDigits, len(b.entries)) }

// bulkEntry is what is to be done with one zone, and what came of it.
type bulkEntry struct {
	pointer string // to it in the request body
	room    int    // operations that it takes at most
	do      func(tx *registry.Tx) (id string, err error)

	id      string // of the zone; empty if it is refused
	refused failure
	stored  bool // or refused for a reason that stays
}

// bulkView is the outcome, each list in the order of the request.
type bulkView struct {
	Created int           `json:"created"`
	Deleted int           `json:"deleted"`
	Refused int           `json:"refused"`
	Create  []bulkOutcome `json:"create"`
	Delete  []bulkOutcome `json:"delete"`
}

// bulkOutcome has either.
type bulkOutcome struct {
	ID     string  `json:"id,omitempty"`
	Errors []fault `json:"errors,omitempty"`
}

// changeInBulk deletes and creates many zones of an account.
func (s *Server) changeInBulk(c echo.Context) error {
	account := strings.Clone(c.Param("account_id")) // or zones would keep the whole request
	if !s.bulks.begin(account) {
		return refuse(codeBulk, "the account has a bulk request running already, or %d others have", maxBulks)
	}
	defer s.bulks.end(account)
	f, err := s.readFormOf(c, maxBulkWeight)
	if err != nil {
		return err
	}
	b, err := readBulk(f, account)
	if err != nil {
		return err
	}
	ctx, stop := s.long(c, bulkTime)
	defer stop()
	if done, err := s.runBulk(ctx, b.entries); err != nil {
		if done == 0 {
			return err
		}
		s.logCutShort(ctx, c, done, len(b.entries), err)
	}
	// Who is slow to read keeps the place of others, and the time was for the work.
	_ = http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(writeTimeout))
	view := b.view(c)
	c.Set(countsKey, []zap.Field{zap.Int("created", view.Created), zap.Int("deleted", view.Deleted), zap.Int("refused", view.Refused)})
	return respond(c, view)
}

// readBulk reads which zones are to be deleted and created.
func readBulk(f *form, account string) (*bulk, error) {
	deletions, creations := f.optional("delete", kindList), f.optional("create", kindList)
	if f.problems != nil {
		return nil, f.problems
	}
	if deletions == nil && creations == nil {
		return nil, refuse(codeMissing, "the members create and delete are both missing; a list of zones is needed in one of them")
	}
	id := newID()
	b := &bulk{account: account, ids: id[:len(id)-madeDigits]}
	for _, part := range []struct {
		name  string
		list  *value
		entry func(*form) bulkEntry
	}{{"delete", deletions, b.deletion}, {"create", creations, b.creation}} {
		if part.list == nil {
			continue
		}
		if len(b.entries)+len(part.list.list) > maxBulk {
			return nil, failure{{codeTooMany, part.name + ": a request has at most " + strconv.Itoa(maxBulk) + " zones", pointer(part.name)}}
		}
		for i, v := range part.list.list {
			b.entries = append(b.entries, readBulkEntry(v, pointer(part.name, strconv.Itoa(i)), part.entry))
		}
		if part.name == "delete" {
			b.deleted = len(b.entries)
		}
	}
	return b, nil
}

func readBulkEntry(v value, at string, read func(*form) bulkEntry) bulkEntry {
	if v.kind != kindObject {
		return bulkEntry{pointer: at, refused: failure{{code: codeType, message: "found " + v.kind.String() + ", an object is needed"}}}
	}
	entry := read(&form{members: v.members})
	entry.pointer, entry.refused = at, entry.refused.first(maxBulkFaults)
	return entry
}

func (b *bulk) owns(account string) bool { return account == b.account }

// creation is of a zone as POST …/incoming makes it, under the id that the form
// has or a new one.
func (b *bulk) creation(f *form) bulkEntry {
	id := b.newID()
	switch given := f.textOrEmpty("id"); {
	case given == "":
	case registry.ValidID(given):
		id = given
	default:
		f.problem(codeMalformed, f.pointer("id"), "%.64q can't be an id: letters, digits, hyphens and underscores can, 64 of them", given)
	}
	zone := zoneOf(f, id)
	return bulkEntry{room: 1, do: func(tx *registry.Tx) (string, error) {
		return id, f.putZone(tx, zone, b.owns, isNew)
	}}
}

// deletion is of a zone as a whole, as DELETE /zones/ZONE does it.
func (b *bulk) deletion(f *form) bulkEntry {
	id, name := f.textOrEmpty("id"), f.textOrEmpty("name")
	apex, err := registry.ApexKey(name)
	switch {
	case f.problems != nil:
	case id == "" && name == "":
		f.problems = failure{{code: codeMissing, message: "the id or the name of a zone is needed"}}
	case id != "" && name != "":
		f.problem(codeForbidden, f.pointer("name"), "a zone is named by its id or by its name, not by both")
	case id == "" && err != nil:
		f.problem(codeMalformed, f.pointer("name"), "%.64q is not a domain name", name)
	}
	if f.problems != nil {
		return bulkEntry{refused: f.problems}
	}
	return bulkEntry{room: registry.MostOfZone, do: func(tx *registry.Tx) (string, error) {
		if id == "" {
			named, _ := tx.ZoneName(apex)
			id = named.ID
		}
		if zone, ok := tx.ListedZone(id); !ok || !b.owns(zone.Account) {
			return "", refuse(codeNoZone, "there is no such zone")
		}
		return id, tx.DeleteListedZone(id)
	}}
}

// bulkTogether is how many transactions share commits: as many as one commit
// takes. Those who change single zones meanwhile wait for one of these at most.
const bulkTogether = 16

// runBulk does the entries, in their order, and returns how many are done with,
// durably. An error is of the disk or of the end of ctx, and refuses the entries
// that are left.
func (s *Server) runBulk(ctx context.Context, entries []bulkEntry) (done int, err error) {
	for at := 0; at < len(entries) && err == nil; {
		var n int
		n, err = s.runTogether(ctx, entries[at:])
		at += n
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = context.Cause(ctx)
	}
	for i := range entries {
		e := &entries[i]
		if e.stored {
			done++
			continue
		}
		e.id, e.refused = "", failureOf(err)
	}
	return done, err
}

// runTogether does entries in some transactions, as many in each as it has room for,
// and returns how many were tried.
func (s *Server) runTogether(ctx context.Context, entries []bulkEntry) (tried int, err error) {
	var fns [bulkTogether]func(*registry.Tx) error
	var ends [bulkTogether]int // of the entries that each transaction has tried
	for i := range fns {
		fns[i] = func(tx *registry.Tx) error {
			for tried < len(entries) && entries[tried].room <= tx.Room() {
				entries[tried].run(tx)
				tried++
			}
			ends[i] = tried
			return nil
		}
	}
	errs := s.Registry.UpdateEach(ctx, fns[:]...)
	begin := 0
	for i, end := range ends {
		end = max(begin, end) // or the transaction did not begin
		for j := range entries[begin:end] {
			entries[begin+j].stored = errs[i] == nil
		}
		begin, err = end, cmp.Or(err, errs[i])
	}
	return tried, err
}

// run does one entry; one that is refused leaves the transaction as it was.
func (e *bulkEntry) run(tx *registry.Tx) {
	if e.refused != nil {
		return
	}
	err := tx.Try(func() (err error) {
		e.id, err = e.do(tx)
		return err
	})
	if err != nil {
		e.id, e.refused = "", failureOf(err).first(maxBulkFaults)
	}
}

// first gives the first n problems, and lets go of the others.
func (f failure) first(n int) failure {
	if len(f) <= n {
		return f
	}
	return slices.Clone(f[:n])
}

// logCutShort tells of a bulk request that was not carried out to its end.
func (s *Server) logCutShort(ctx context.Context, c echo.Context, done, all int, err error) {
	level := zap.ErrorLevel
	if ctx.Err() != nil {
		level = zap.WarnLevel // the client has gone, or the server stops
	}
	s.Log.Log(level, "bulk request cut short", zap.String("request", requestID(c)), zap.Int("done", done), zap.Int("of", all), zap.Error(err))
}

func (b *bulk) view(c echo.Context) bulkView {
	outcomes := make([]bulkOutcome, len(b.entries))
	v := bulkView{Delete: outcomes[:b.deleted], Create: outcomes[b.deleted:]}
	for i, e := range b.entries {
		switch {
		case e.refused != nil:
			outcomes[i].Errors = e.refused.under(e.pointer).faults(c)
			v.Refused++
		case i < b.deleted:
			outcomes[i].ID = e.id
			v.Deleted++
		default:
			outcomes[i].ID = e.id
			v.Created++
		}
	}
	return v
}

// under gives the failure of what stands at a place of a larger body.
func (f failure) under(at string) failure {
	moved := make(failure, len(f))
	for i, p := range f {
		moved[i] = problem{p.code, p.message, at + p.pointer}
	}
	return moved
}
