package registry

// Kind says what an object is.
type Kind uint8

// The kinds of objects. The numbers are stored and never change.
const (
	KindZone Kind = 1 + iota
	KindPeer
	KindTSIG
	KindACL
	KindOutgoing
	KindToken
	KindRegistration
)

// kinds lists all kinds in the order in which they are stored and loaded.
var kinds = [...]Kind{KindZone, KindPeer, KindTSIG, KindACL, KindOutgoing, KindToken, KindRegistration}

// String names the kind in words, for logs and errors.
func (k Kind) String() string {
	switch k {
	case KindZone:
		return "zone"
	case KindPeer:
		return "peer"
	case KindTSIG:
		return "tsig"
	case KindACL:
		return "acl"
	case KindOutgoing:
		return "outgoing"
	case KindToken:
		return "token"
	case KindRegistration:
		return "registration"
	default:
		return "unknown kind"
	}
}

// Change tells that one object is no longer what it was. It does not say how:
// the follower reads the object, which may be newer still.
type Change struct {
	Revision uint64 // of the transaction
	Kind     Kind
	ID       string
	Deleted  bool
}

// key addresses an object; ids are unique within a kind, over all accounts.
type key struct {
	kind Kind
	id   string
}

// object is a stored object: *Zone, *Peer, *TSIG, *ACL, *Outgoing, *Token or
// *Registration. Once in the state it is never changed, only replaced.
type object interface {
	key() key
	account() string
	revision() uint64
}
