package registry

import (
	"encoding/base64"
	"errors"
	"fmt"

	"secondaryd/zonestore/seal"
)

// ErrNoKey says that secrets are stored, and the key that opens them is not
// there.
var ErrNoKey = errors.New("the secrets of the configuration can't be decrypted")

// errClear says that secrets need no key: an earlier release wrote them.
var errClear = errors.New("stored in clear")

// sealable is a member of a stored form that is a secret: in clear, or sealed
// and in base64.
type sealable string

func (s *storedTSIG) secrets() map[string]*sealable {
	return map[string]*sealable{"secret": &s.Secret}
}

func (s *storedTLS) secrets() map[string]*sealable {
	if s == nil {
		return nil
	}
	return map[string]*sealable{"client_key": &s.ClientKey}
}

// place is what a sealed secret is bound to: it opens as this member of this
// object alone.
func place(k key, member string) []byte {
	return fmt.Appendf([]byte{byte(k.kind)}, "%s\x00%s", member, k.id)
}

// seal puts the sealed secret in the place of the clear one.
func (c codec) seal(secret *sealable, k key, member string) {
	*secret = sealable(base64.StdEncoding.EncodeToString(c.key.Seal([]byte(*secret), place(k, member))))
}

// open puts the clear secrets in the place of the sealed ones.
func (c codec) open(k key, secrets map[string]*sealable) error {
	for member, secret := range secrets {
		if *secret == "" || c.why == errClear {
			continue
		}
		if c.key == nil {
			return fmt.Errorf("%w: %w", ErrNoKey, c.why)
		}
		sealed, err := base64.StdEncoding.DecodeString(string(*secret))
		if err != nil {
			return fmt.Errorf("its %s can't be read", member)
		}
		clear, err := c.key.Open(sealed, place(k, member))
		switch {
		case errors.Is(err, seal.ErrOtherKey):
			return fmt.Errorf("%w: %s is %w", ErrNoKey, member, err)
		case errors.Is(err, seal.ErrNewer):
			return fmt.Errorf("its %s: %w", member, ErrNewer)
		case err != nil:
			return fmt.Errorf("its %s is %w", member, err)
		}
		*secret = sealable(clear)
	}
	return nil
}
