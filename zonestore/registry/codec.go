package registry

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// A stored value is
//
//	octet  0      format version
//	octets 1-4    CRC-32C over kind, id, and everything from octet 5 on
//	octets 5-12   revision of the object
//	from 13 on    the object as JSON
//
// with numbers in network byte order. The checksum covers kind and id, so a
// value that comes to lie under another key is found out too.
const (
	valueVersion = 1
	valueHeader  = 13
	maxObject    = 64 << 10 // octets of a stored value
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// The stored forms are explicit, so that a renamed member of a Go type never
// changes the file, and a secret is written as it is.
type (
	storedZone struct {
		Account     string    `json:"account"`
		Name        string    `json:"name"`
		AutoRefresh uint32    `json:"auto_refresh"`
		Peers       []string  `json:"peers"`
		MaxShrink   *uint8    `json:"max_shrink,omitempty"`
		Created     time.Time `json:"created"`
		Modified    time.Time `json:"modified"`
	}
	storedPeer struct {
		Account string     `json:"account"`
		Name    string     `json:"name"`
		IP      *string    `json:"ip,omitempty"`
		Port    *uint16    `json:"port,omitempty"`
		IXFR    *bool      `json:"ixfr,omitempty"`
		TSIG    *string    `json:"tsig,omitempty"`
		TLS     *storedTLS `json:"tls,omitempty"`
		Source  *string    `json:"source,omitempty"`
	}
	storedTLS struct {
		Name              string   `json:"name,omitempty"`
		Pins              []string `json:"pins,omitempty"`
		CACertificate     string   `json:"ca_certificate,omitempty"`
		ClientCertificate string   `json:"client_certificate,omitempty"`
		ClientKey         string   `json:"client_key,omitempty"`
	}
	storedTSIG struct {
		Account   string `json:"account"`
		Name      string `json:"name"`
		Algorithm string `json:"algorithm"`
		Secret    string `json:"secret"`
	}
	storedACL struct {
		Account  string    `json:"account"`
		Name     string    `json:"name"`
		IPRange  string    `json:"ip_range"`
		Created  time.Time `json:"created"`
		Modified time.Time `json:"modified"`
	}
	storedOutgoing struct {
		Account  string    `json:"account"`
		Name     string    `json:"name"`
		Peers    []string  `json:"peers"`
		Enabled  bool      `json:"enabled"`
		Created  time.Time `json:"created"`
		Modified time.Time `json:"modified"`
	}
	storedRegistration struct {
		Account  string    `json:"account"`
		Name     string    `json:"name"`
		Paused   bool      `json:"paused"`
		Vanity   []string  `json:"vanity,omitempty"`
		Created  time.Time `json:"created"`
		Modified time.Time `json:"modified"`
	}
	storedToken struct {
		Name    string     `json:"name"`
		Scope   Scope      `json:"scope"`
		Account string     `json:"account,omitempty"`
		Access  Access     `json:"access,omitempty"`
		Hash    []byte     `json:"hash"`
		Created time.Time  `json:"created"`
		Expires *time.Time `json:"expires,omitempty"`
	}
)

// encode gives the stored value of an object.
func encode(o object) []byte {
	payload, err := json.Marshal(storedForm(o))
	if err != nil {
		panic(fmt.Sprintf("registry: encode %s: %v", o.key().kind, err)) // the stored forms hold nothing that can't be marshalled
	}
	value := make([]byte, valueHeader, valueHeader+len(payload))
	value[0] = valueVersion
	binary.BigEndian.PutUint64(value[5:], o.revision())
	value = append(value, payload...)
	k := o.key()
	binary.BigEndian.PutUint32(value[1:], checksum(k.kind, k.id, value))
	return value
}

func storedForm(o object) any {
	switch o := o.(type) {
	case *Zone:
		return storedZone{o.Account, o.Name, o.AutoRefresh, o.Peers, o.MaxShrink, o.Created, o.Modified}
	case *Peer:
		return storedPeer{o.Account, o.Name, o.IP, o.Port, o.IXFR, o.TSIG, storedTLSOf(o.TLS), o.Source}
	case *TSIG:
		return storedTSIG{o.Account, o.Name, o.Algorithm, o.Secret.Reveal()}
	case *ACL:
		return storedACL{o.Account, o.Name, o.IPRange, o.Created, o.Modified}
	case *Outgoing:
		return storedOutgoing{o.Account, o.Name, o.Peers, o.Enabled, o.Created, o.Modified}
	case *Registration:
		return storedRegistration{o.Account, o.Name, o.Paused, o.Vanity, o.Created, o.Modified}
	case *Token:
		return storedToken{o.Name, o.Scope, o.Account, o.Access, o.Hash[:], o.Created, o.Expires}
	default:
		panic(fmt.Sprintf("registry: no stored form of %T", o))
	}
}

func storedTLSOf(t *PeerTLS) *storedTLS {
	if t == nil {
		return nil
	}
	return &storedTLS{t.Name, t.Pins, t.CACertificate, t.ClientCertificate, t.ClientKey.Reveal()}
}

func (s *storedTLS) peerTLS() *PeerTLS {
	if s == nil {
		return nil
	}
	return &PeerTLS{s.Name, s.Pins, s.CACertificate, s.ClientCertificate, Secret(s.ClientKey)}
}

// token gives a hash of a wrong length up: no token has the hash that is zero.
func (s storedToken) token(id string, revision uint64) *Token {
	t := &Token{id, s.Name, s.Scope, s.Account, s.Access, TokenHash{}, s.Created, s.Expires, revision}
	if len(s.Hash) == len(t.Hash) {
		t.Hash = TokenHash(s.Hash)
	}
	return t
}

// checksum is that of a value with at least a header.
func checksum(kind Kind, id string, value []byte) uint32 {
	sum := crc32.Update(0, castagnoli, []byte{byte(kind), value[0]})
	sum = crc32.Update(sum, castagnoli, []byte(id))
	return crc32.Update(sum, castagnoli, value[5:])
}

// checkValue verifies version and checksum of a stored value and returns the
// object's revision.
func checkValue(e Entry) (revision uint64, err error) {
	switch {
	case len(e.Value) < valueHeader:
		return 0, damaged(e, "value is cut off")
	case binary.BigEndian.Uint32(e.Value[1:]) != checksum(e.Kind, e.ID, e.Value):
		return 0, damaged(e, "checksum does not match")
	case e.Value[0] > valueVersion:
		return 0, fmt.Errorf("%s %q has format %d: %w", e.Kind, e.ID, e.Value[0], ErrNewer)
	case e.Value[0] != valueVersion:
		return 0, damaged(e, "unknown format version")
	}
	return binary.BigEndian.Uint64(e.Value[5:]), nil
}

// decode reads a stored value; the result shares no memory with it.
func decode(e Entry) (object, error) {
	revision, err := checkValue(e)
	if err != nil {
		return nil, err
	}
	o, err := decodePayload(e.Kind, e.ID, revision, e.Value[valueHeader:])
	if err != nil {
		return nil, damaged(e, err.Error())
	}
	return o, nil
}

func decodePayload(kind Kind, id string, revision uint64, payload []byte) (object, error) {
	switch kind {
	case KindZone:
		s, err := unmarshal[storedZone](payload)
		return &Zone{id, s.Account, s.Name, s.AutoRefresh, s.Peers, s.MaxShrink, s.Created, s.Modified, revision}, err
	case KindPeer:
		s, err := unmarshal[storedPeer](payload)
		return &Peer{id, s.Account, s.Name, s.IP, s.Port, s.IXFR, s.TSIG, s.TLS.peerTLS(), s.Source, revision}, err
	case KindTSIG:
		s, err := unmarshal[storedTSIG](payload)
		return &TSIG{id, s.Account, s.Name, s.Algorithm, Secret(s.Secret), revision}, err
	case KindACL:
		s, err := unmarshal[storedACL](payload)
		return &ACL{id, s.Account, s.Name, s.IPRange, s.Created, s.Modified, revision}, err
	case KindOutgoing:
		s, err := unmarshal[storedOutgoing](payload)
		return &Outgoing{id, s.Account, s.Name, s.Peers, s.Enabled, s.Created, s.Modified, revision}, err
	case KindRegistration:
		s, err := unmarshal[storedRegistration](payload)
		return &Registration{id, s.Account, s.Name, s.Paused, s.Vanity, s.Created, s.Modified, revision}, err
	case KindToken:
		s, err := unmarshal[storedToken](payload)
		return s.token(id, revision), err
	default:
		return nil, errors.New("unknown kind of object")
	}
}

func unmarshal[T any](payload []byte) (stored T, err error) {
	if json.Unmarshal(payload, &stored) != nil {
		// What the decoder says may quote the value, which may be a secret.
		return stored, errors.New("value can't be read")
	}
	return stored, nil
}

func damaged(e Entry, detail string) error {
	return &DamageError{Kind: e.Kind, ID: e.ID, Detail: detail}
}
