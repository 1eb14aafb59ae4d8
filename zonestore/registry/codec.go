package registry

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"secondaryd/zonestore/seal"
)

// A stored value is
//
//	octet  0      format version
//	octets 1-4    CRC-32C over kind, id, and everything from octet 5 on
//	octets 5-12   revision of the object
//	from 13 on    the object as JSON
//
// with numbers in network byte order. The checksum covers kind and id, so a
// value that comes to lie under another key is found out too. The version is 2
// if members of the object are sealed; in version 1 they would lie in clear, as
// earlier releases wrote them.
const (
	valuePlain  = 1
	valueSealed = 2
	valueHeader = 13
	maxObject   = 64 << 10 // octets of a stored value
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// The stored forms are explicit, so that a renamed member of a Go type never
// changes the file. The members of type sealable are those that are sealed.
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
		ClientKey         sealable `json:"client_key,omitempty"`
	}
	storedTSIG struct {
		Account   string   `json:"account"`
		Name      string   `json:"name"`
		Algorithm string   `json:"algorithm"`
		Secret    sealable `json:"secret"`
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

// codec turns objects into stored values and back.
type codec struct {
	key *seal.Key // nil while there is none, and why says why
	why error
}

// encode gives the stored value of an object; the same one for equal objects.
func (c codec) encode(o object) []byte {
	form, secrets := storedForm(o)
	version := byte(valuePlain)
	for member, secret := range secrets {
		if *secret != "" {
			version = valueSealed
			c.seal(secret, o.key(), member)
		}
	}
	payload, err := json.Marshal(form)
	if err != nil {
		panic(fmt.Sprintf("registry: encode %s: %v", o.key().kind, err)) // the stored forms hold nothing that can't be marshalled
	}
	return frame(version, o.key(), o.revision(), payload)
}

// frame puts a header before a payload.
func frame(version byte, k key, revision uint64, payload []byte) []byte {
	value := make([]byte, valueHeader, valueHeader+len(payload))
	value[0] = version
	binary.BigEndian.PutUint64(value[5:], revision)
	value = append(value, payload...)
	binary.BigEndian.PutUint32(value[1:], checksum(k.kind, k.id, value))
	return value
}

// storedForm gives what is stored of an object, and the secrets in it, by the
// names of their members.
func storedForm(o object) (form any, secrets map[string]*sealable) {
	switch o := o.(type) {
	case *Zone:
		return storedZone{o.Account, o.Name, o.AutoRefresh, o.Peers, o.MaxShrink, o.Created, o.Modified}, nil
	case *Peer:
		tls := storedTLSOf(o.TLS)
		return storedPeer{o.Account, o.Name, o.IP, o.Port, o.IXFR, o.TSIG, tls, o.Source}, tls.secrets()
	case *TSIG:
		tsig := &storedTSIG{o.Account, o.Name, o.Algorithm, sealable(o.Secret.Reveal())}
		return tsig, tsig.secrets()
	case *ACL:
		return storedACL{o.Account, o.Name, o.IPRange, o.Created, o.Modified}, nil
	case *Outgoing:
		return storedOutgoing{o.Account, o.Name, o.Peers, o.Enabled, o.Created, o.Modified}, nil
	case *Registration:
		return storedRegistration{o.Account, o.Name, o.Paused, o.Vanity, o.Created, o.Modified}, nil
	case *Token:
		return storedToken{o.Name, o.Scope, o.Account, o.Access, o.Hash[:], o.Created, o.Expires}, nil
	default:
		panic(fmt.Sprintf("registry: no stored form of %T", o))
	}
}

func storedTLSOf(t *PeerTLS) *storedTLS {
	if t == nil {
		return nil
	}
	return &storedTLS{t.Name, t.Pins, t.CACertificate, t.ClientCertificate, sealable(t.ClientKey.Reveal())}
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
	sum := ^uint32(0)
	sum = sumOctet(sum, byte(kind))
	sum = sumOctet(sum, value[0])
	for i := range len(id) {
		sum = sumOctet(sum, id[i])
	}
	return crc32.Update(^sum, castagnoli, value[5:])
}

// sumOctet goes on with a sum, inverted, by one octet. The few octets before a value
// would have to be copied for crc32.Update.
func sumOctet(sum uint32, octet byte) uint32 { return castagnoli[byte(sum)^octet] ^ sum>>8 }

// checkValue verifies version and checksum of a stored value and returns the
// object's revision.
func checkValue(e Entry) (revision uint64, err error) {
	switch {
	case len(e.Value) < valueHeader:
		return 0, damaged(e, "value is cut off")
	case binary.BigEndian.Uint32(e.Value[1:]) != checksum(e.Kind, e.ID, e.Value):
		return 0, damaged(e, "checksum does not match")
	case e.Value[0] > valueSealed:
		return 0, fmt.Errorf("%s %q has format %d: %w", e.Kind, e.ID, e.Value[0], ErrNewer)
	case e.Value[0] == 0:
		return 0, damaged(e, "unknown format version")
	}
	return binary.BigEndian.Uint64(e.Value[5:]), nil
}

// decode reads a stored value; the result shares no memory with it.
func (c codec) decode(e Entry) (object, error) {
	revision, err := checkValue(e)
	if err != nil {
		return nil, err
	}
	if e.Value[0] == valuePlain {
		c = codec{why: errClear}
	}
	o, err := c.decodePayload(key{e.Kind, e.ID}, revision, e.Value[valueHeader:])
	switch {
	case errors.Is(err, ErrNoKey), errors.Is(err, ErrNewer):
		return nil, fmt.Errorf("%s %q: %w", e.Kind, e.ID, err)
	case err != nil:
		return nil, damaged(e, err.Error())
	}
	return o, nil
}

func (c codec) decodePayload(k key, revision uint64, payload []byte) (object, error) {
	id := k.id
	switch k.kind {
	case KindZone:
		s, err := readZone(payload)
		return &Zone{id, s.Account, s.Name, s.AutoRefresh, s.Peers, s.MaxShrink, s.Created, s.Modified, revision}, err
	case KindPeer:
		s, err := unmarshal[storedPeer](payload)
		err = errors.Join(err, c.open(k, s.TLS.secrets()))
		return &Peer{id, s.Account, s.Name, s.IP, s.Port, s.IXFR, s.TSIG, s.TLS.peerTLS(), s.Source, revision}, err
	case KindTSIG:
		s, err := unmarshal[storedTSIG](payload)
		err = errors.Join(err, c.open(k, s.secrets()))
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
