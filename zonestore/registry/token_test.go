package registry

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func token(id string) Token {
	return Token{ID: id, Name: "token " + id, Scope: ScopeAccount, Account: account, Access: AccessRead, Hash: HashToken("the token " + id)}
}

func TestTokensAreReadBack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	now := time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)
	first := openWith(t, Options{Dir: dir, Now: func() time.Time { return now }})
	limited, admin := token("t1"), Token{ID: "t2", Name: "admin", Scope: ScopeAdmin, Hash: HashToken("x")}
	limited.Expires = new(now.Add(time.Hour))
	update(t, first, func(tx *Tx) error { return errors.Join(tx.PutToken(limited), tx.PutToken(admin)) })
	limited.Created, limited.Revision, admin.Created, admin.Revision = now, 1, now, 1
	want := []Token{limited, admin}
	if diff := cmp.Diff(want, first.Tokens()); diff != "" {
		t.Error(diff)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	if diff := cmp.Diff(want, again.Tokens()); diff != "" {
		t.Error(diff)
	}
	for changes, err := range again.Watch(t.Context(), again.Revision()-1) {
		if !errors.Is(err, ErrTooOld) {
			t.Error(changes, err)
		}
	}
	update(t, again, func(tx *Tx) error { return tx.DeleteToken("t1") })
	if _, ok := again.Token("t1"); ok || len(again.Tokens()) != 1 {
		t.Error("the token is still there")
	}
	for changes, err := range again.Watch(t.Context(), again.Revision()-1) {
		if diff := cmp.Diff([]Change{{Revision: 2, Kind: KindToken, ID: "t1", Deleted: true}}, changes); diff != "" || err != nil {
			t.Error(diff, err)
		}
		break
	}
	if err := again.Update(t.Context(), func(tx *Tx) error { return tx.DeleteToken("t1") }); !errors.Is(err, ErrNotFound) {
		t.Error(err)
	}
}

func TestTokenIsRefused(t *testing.T) {
	t.Parallel()
	r := open(t, t.TempDir())
	for want, change := range map[string]func(*Token){
		"/name 1":       func(t *Token) { t.Name = "" },
		"/scope 1":      func(t *Token) { t.Scope = "" },
		"/scope 2":      func(t *Token) { t.Scope = "root" },
		"/account_id 1": func(t *Token) { t.Account = "" },
		"/account_id 2": func(t *Token) { t.Account = "a b" },
		"/access 1":     func(t *Token) { t.Access = "" },
		"/access 2":     func(t *Token) { t.Access = "write" },
		"/account_id 4": func(t *Token) { t.Scope, t.Access = ScopeAdmin, "" },
		"/access 4":     func(t *Token) { t.Scope, t.Account = ScopeMetrics, "" },
		"/expires_on 3": func(t *Token) { t.Expires = new(time.Now().Add(-time.Second)) },
		"/expires_on 3 ": func(t *Token) {
			t.Expires = new(time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -3600)))
		},
		" 1": func(t *Token) { t.Hash = TokenHash{} },
		" 2": func(t *Token) { t.ID = "a b" },
	} {
		bad := token("t1")
		change(&bad)
		err := r.Update(t.Context(), func(tx *Tx) error { return tx.PutToken(bad) })
		got := Problems(err)
		if len(got) != 1 || fmt.Sprint(got[0].Pointer, " ", got[0].Reason) != strings.TrimSuffix(want, " ") {
			t.Errorf("%s: %v", want, err)
		}
	}
	if r.Revision() != 0 {
		t.Error("a refused token changed something")
	}
}

func TestTokenHash(t *testing.T) {
	t.Parallel()
	hash := HashToken("token")
	if !hash.Matches("token") || hash.Matches("token1") || hash.Matches("") || (TokenHash{}).Matches("") {
		t.Error("the wrong tokens match")
	}
	encoded, err := json.Marshal(token("t1"))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(hash), fmt.Sprintf("%x %#v %+v", hash, hash, token("t1")), string(encoded)} {
		if !strings.Contains(text, hidden) || strings.Contains(text, fmt.Sprintf("%x", hash[:4])) {
			t.Errorf("the hash is shown: %s", text)
		}
	}
}
