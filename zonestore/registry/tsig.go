package registry

import (
	"fmt"
	"io"

	"go.uber.org/zap/zapcore"
)

// TSIG is a key shared with a peer (RFC 8945). Its members are as sent.
type TSIG struct {
	ID        string
	Account   string
	Name      string
	Algorithm string
	Secret    Secret
	Revision  uint64
}

// MarshalLogObject logs the key without its secret.
func (t TSIG) MarshalLogObject(e zapcore.ObjectEncoder) error {
	e.AddString("id", t.ID)
	e.AddString("account", t.Account)
	e.AddString("name", t.Name)
	e.AddString("algorithm", t.Algorithm)
	return nil
}

func (t *TSIG) key() key         { return key{KindTSIG, t.ID} }
func (t *TSIG) account() string  { return t.Account }
func (t *TSIG) revision() uint64 { return t.Revision }
func (t *TSIG) clone() TSIG      { return *t }

// Secret is a shared secret in base64, or a private key in PEM. However it is printed, logged or
// marshalled it comes out as ***; only Reveal gives it.
type Secret string

const hidden = "***"

// Reveal gives the secret itself: for its use, for the file, and for the answers
// of the API that hold it.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret.
func (Secret) String() string { return hidden }

// GoString hides the secret.
func (Secret) GoString() string { return hidden }

// Format hides the secret under every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText hides the secret in every text encoding, JSON included.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
