package registry

import (
	"errors"
	"fmt"
	"strings"
)

// What a transaction or a follower may be told.
var (
	ErrNotFound = errors.New("no such object")
	ErrExists   = errors.New("object exists already")
	ErrClosed   = errors.New("registry is closed")
	ErrTooOld   = errors.New("changes since that revision are no longer kept")
	ErrTooMany  = errors.New("more than 128 operations in a transaction")
)

// Why Open may refuse.
var (
	ErrLocked  = errors.New("configuration is held by another daemon")
	ErrNewer   = errors.New("configuration was made by a newer secondaryd")
	ErrDamaged = errors.New("configuration is damaged")
)

// ErrStore marks an error of the disk below: nothing was changed, and the same
// transaction may succeed later.
var ErrStore = errors.New("configuration cannot be stored")

// Reason classes what is wrong with a member.
type Reason uint8

// The reasons.
const (
	ReasonMissing   Reason = iota + 1 // a required member has no value
	ReasonMalformed                   // not of the form it must have
	ReasonRange                       // a number out of its range
	ReasonForbidden                   // well formed, and not permitted
	ReasonUnknown                     // a reference to an object that is not there
	ReasonTooMany                     // more entries than permitted
	ReasonDuplicate                   // an entry that is there twice
	ReasonTaken                       // a zone name that another zone id has
	ReasonTooLarge                    // longer than permitted
	ReasonOtherName                   // a zone name that the zone id has another one of
	ReasonAccount                     // an object can't move to, or refer into, another account
)

// InvalidError says what is wrong with one member of an object.
type InvalidError struct {
	Pointer string // JSON pointer (RFC 6901) into the object's API form
	Reason  Reason
	Message string // a sentence without the member's name in it
}

func (e *InvalidError) Error() string {
	if e.Pointer == "" {
		return e.Message
	}
	return strings.TrimPrefix(e.Pointer, "/") + ": " + e.Message
}

func invalid(pointer string, reason Reason, format string, args ...any) error {
	return &InvalidError{Pointer: pointer, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// Problems lists every InvalidError in err, which may be several joined.
func Problems(err error) []*InvalidError {
	switch e := err.(type) {
	case nil:
		return nil
	case *InvalidError:
		return []*InvalidError{e}
	case interface{ Unwrap() []error }:
		var all []*InvalidError
		for _, inner := range e.Unwrap() {
			all = append(all, Problems(inner)...)
		}
		return all
	default:
		return Problems(errors.Unwrap(err))
	}
}

// InUseError refuses the deletion of an object that others refer to.
type InUseError struct {
	Kind  Kind
	ID    string
	Users []string // ids of the zones of a peer, or of the peers of a key
}

func (e *InUseError) Error() string {
	return fmt.Sprintf("%s %s is used by %s", e.Kind, e.ID, strings.Join(e.Users, ", "))
}

// DamageError says which stored object can't be trusted, or, without an id,
// which file.
type DamageError struct {
	Path   string
	Kind   Kind
	ID     string
	Detail string
}

func (e *DamageError) Error() string {
	switch {
	case e.Path == "":
		return fmt.Sprintf("damaged %s %q: %s", e.Kind, e.ID, e.Detail)
	case e.ID == "":
		return fmt.Sprintf("%s is damaged: %s", e.Path, e.Detail)
	default:
		return fmt.Sprintf("%s is damaged: %s %q: %s", e.Path, e.Kind, e.ID, e.Detail)
	}
}

// Is makes every DamageError an ErrDamaged.
func (e *DamageError) Is(target error) bool { return target == ErrDamaged }
