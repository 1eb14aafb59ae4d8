package apiclient

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
)

// MaxBulk is how many zones a request about many may have.
const MaxBulk = 10_000

// Bulk is what is to be done with many zones of an account, deletions first.
type Bulk struct {
	Delete []BulkDeletion `json:"delete,omitempty"`
	Create []Object       `json:"create,omitempty"` // the members of an Incoming, and the zone's id if it shall have that
}

// BulkDeletion names a zone that is to go as a whole.
type BulkDeletion struct {
	ID string `json:"id"`
}

// BulkResult has an entry for each entry of a Bulk, in the same order.
type BulkResult struct {
	Delete []BulkOutcome `json:"delete"`
	Create []BulkOutcome `json:"create"`
}

// BulkOutcome is the id of the zone that it was done with, or why it was not.
type BulkOutcome struct {
	ID     string  `json:"id"`
	Errors []Fault `json:"errors"`
}

// Bulk deletes and creates zones. Each is done or refused by itself, and refusals
// are no error. After an error some of them may have been done.
func (c *Client) Bulk(ctx context.Context, account string, b Bulk) (BulkResult, error) {
	path := "/accounts/" + url.PathEscape(account) + "/secondaryd/zones/bulk"
	answer, err := c.Post(ctx, path, b)
	if err != nil {
		return BulkResult{}, err
	}
	var result BulkResult
	if err := json.Unmarshal(answer.Result, &result); err != nil {
		return BulkResult{}, fmt.Errorf("POST %s: %w", path, err)
	}
	if len(result.Delete) != len(b.Delete) || len(result.Create) != len(b.Create) {
		return BulkResult{}, fmt.Errorf("POST %s: the answer tells of %d zones, not of the %d in the request",
			path, len(result.Delete)+len(result.Create), len(b.Delete)+len(b.Create))
	}
	return result, nil
}

// Trouble reports whether the fault is the server's: the same may work later.
func (f Fault) Trouble() bool { return f.Code >= 2400 && f.Code < 2500 }
