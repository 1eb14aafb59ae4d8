package registry

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"time"
)

// Token admits a client to the API. The token itself is not kept, only its hash:
// whoever reads the files can't ask with it.
type Token struct {
	ID       string
	Name     string
	Scope    Scope
	Account  string // the one that a token of ScopeAccount is for; else empty
	Access   Access // what a token of ScopeAccount may do; else empty
	Hash     TokenHash
	Created  time.Time
	Expires  *time.Time // nil: never
	Revision uint64
}

// Scope is what a token is for. The texts are stored and shown.
type Scope string

// The scopes.
const (
	ScopeAdmin   Scope = "admin"   // everything
	ScopeAccount Scope = "account" // zones, peers, keys and ACLs of one account
	ScopeMetrics Scope = "metrics" // the metrics, nothing else
)

// Access is what a token may do in its account. The texts are stored and shown.
type Access string

// The kinds of access.
const (
	AccessRead Access = "read"
	AccessEdit Access = "edit" // and read
)

// Expired reports whether the token's time is over.
func (t Token) Expired(now time.Time) bool { return t.Expires != nil && !now.Before(*t.Expires) }

// A token belongs to the server, whatever account it is for.
func (*Token) account() string    { return "" }
func (t *Token) key() key         { return key{KindToken, t.ID} }
func (t *Token) revision() uint64 { return t.Revision }

func (t *Token) clone() Token {
	c := *t
	c.Expires = clonePointer(t.Expires)
	return c
}

// TokenHash is the SHA-256 of a token. A token is random and long, so that no
// slower hash is needed. However the hash is printed, it comes out as ***.
type TokenHash [sha256.Size]byte

// HashToken gives the hash of a token.
func HashToken(token string) TokenHash { return sha256.Sum256([]byte(token)) }

// Matches compares in constant time. The zero hash, of no token, matches none.
func (h TokenHash) Matches(token string) bool {
	hash := HashToken(token)
	return subtle.ConstantTimeCompare(h[:], hash[:]) == 1
}

// Format hides the hash under every verb.
func (TokenHash) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the hash in every text encoding, JSON included.
func (TokenHash) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// maxYear is the last that RFC 3339 can write.
const maxYear = 9999

// validateToken refuses a token that is malformed, says more than its scope
// has, or has expired already.
func validateToken(t *Token, now time.Time) error {
	errs := []error{validateID("", t.ID), validateText("/name", t.Name), validateScope(t)}
	if t.Hash == (TokenHash{}) {
		errs = append(errs, invalid("", ReasonMissing, "the token has no hash"))
	}
	if t.Expired(now) {
		errs = append(errs, invalid("/expires_on", ReasonRange, "the time is past"))
	}
	if t.Expires != nil && t.Expires.Year() > maxYear {
		errs = append(errs, invalid("/expires_on", ReasonRange, "the time is after the year %d", maxYear))
	}
	return errors.Join(errs...)
}

func validateScope(t *Token) error {
	switch t.Scope {
	case ScopeAccount:
		return errors.Join(validateTokenAccount(t.Account), validateAccess(t.Access))
	case ScopeAdmin, ScopeMetrics:
		return errors.Join(
			unsetInScope("/account_id", t.Account, t.Scope),
			unsetInScope("/access", string(t.Access), t.Scope),
		)
	case "":
		return invalid("/scope", ReasonMissing, "a scope is needed, one of %s, %s and %s", ScopeAdmin, ScopeAccount, ScopeMetrics)
	default:
		return invalid("/scope", ReasonMalformed, "the scope is not one of %s, %s and %s", ScopeAdmin, ScopeAccount, ScopeMetrics)
	}
}

func validateTokenAccount(id string) error {
	if id == "" {
		return invalid("/account_id", ReasonMissing, "the id of the account is needed")
	}
	return validateID("/account_id", id)
}

func validateAccess(access Access) error {
	switch access {
	case AccessRead, AccessEdit:
		return nil
	case "":
		return invalid("/access", ReasonMissing, "one of %s and %s is needed", AccessRead, AccessEdit)
	default:
		return invalid("/access", ReasonMalformed, "the access is not one of %s and %s", AccessRead, AccessEdit)
	}
}

// unsetInScope refuses what would look like a limit and be none.
func unsetInScope(pointer, text string, scope Scope) error {
	if text != "" {
		return invalid(pointer, ReasonForbidden, "a token of the scope %s has none", scope)
	}
	return nil
}
