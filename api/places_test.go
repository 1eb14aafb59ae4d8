package api

import (
	"context"
	"testing"
)

// No account keeps the others from what runs a few times at once only, nor an
// administrator from anything.
func TestPlacesAreShared(t *testing.T) {
	t.Parallel()
	s := withVersions(t)
	s.must(t, "POST", "/accounts/"+accountB+"/secondary_dns/peers", `{"name":"theirs","ip":"192.0.2.77"}`)
	s.statuses[zoneOne] = Status{State: "serving", Serial: 9, Held: &Held{Serial: 10}}
	own, _ := s.tokenAndID(t, callers["edit"])
	for _, work := range []struct {
		places             *places
		method, path, body string
		busy               string
	}{
		{s.exports, "GET", exportPath(zoneOne), "", "2404"},
		{s.diffs, "GET", diffPath(zoneOne, 8, ""), "", "2404"},
		{s.diagnoses, "POST", incomingPath(zoneOne) + "/diagnose", "", "2410"},
		{s.rollbacks, "POST", rollbackPath(zoneOne), "", "2404"},
		{s.rollbacks, "POST", incomingPath(zoneOne) + "/release", `{"soa_serial":10}`, "2404"},
	} {
		try := func(who, token, want string) {
			t.Helper()
			if want == "" && work.places == s.exports {
				return // which is no envelope
			}
			if got := s.as(t, token, work.method, work.path, work.body); got.faults() != want {
				t.Errorf("%s of %s: %s, want %q", work.path, who, got.body, want)
			}
		}
		for range work.places.each {
			try("the account", own, "")
			if !work.places.begin(accountA) {
				t.Fatalf("%s: no place for an account", work.path)
			}
		}
		try("the account, one too many", own, work.busy)
		try("an administrator", testToken, "")
		for work.places.begin(accountB) {
		}
		try("an administrator, one too many", testToken, work.busy)
		for range work.places.each {
			work.places.end(accountA)
			work.places.end(accountB)
		}
		try("the account, with nothing running", own, "")
		if work.places.taken != 0 || len(work.places.accounts) != 0 {
			t.Errorf("%s: %d places are taken, by %v", work.path, work.places.taken, work.places.accounts)
		}
	}
}

// What a bulk request has not done when its token ends is refused for that.
func TestBulkOfTokenThatEnds(t *testing.T) {
	t.Parallel()
	s := seed(t)
	ctx, end := context.WithCancelCause(t.Context())
	end(errTokenEnded())
	b := bulk{account: accountA}
	entries := []bulkEntry{b.creation(&form{})}
	done, err := s.runBulk(ctx, entries)
	if f := failureOf(err); done != 0 || f[0].code != codeAuthentication || entries[0].refused[0].code != codeAuthentication {
		t.Errorf("%d done, %v, %v", done, err, entries[0].refused)
	}
}
