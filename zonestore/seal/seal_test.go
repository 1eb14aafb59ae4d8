package seal

import (
	"bytes"
	"errors"
	"testing"
)

func testKey(t testing.TB, fill byte) *Key {
	t.Helper()
	k, err := newKey(bytes.Repeat([]byte{fill}, keySize))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestOpenGivesWhatWasSealed(t *testing.T) {
	t.Parallel()
	k, context := testKey(t, 1), []byte("tsig k1 secret")
	for _, secret := range []string{"", "x", "c2VjcmV0", string(make([]byte, 60<<10))} {
		sealed := k.Seal([]byte(secret), context)
		if secret != "" && bytes.Contains(sealed, []byte(secret)) {
			t.Errorf("%d octets lie in clear", len(secret))
		}
		got, err := k.Open(sealed, context)
		if err != nil || string(got) != secret {
			t.Errorf("%d octets: got %d, %v", len(secret), len(got), err)
		}
		if again := k.Seal([]byte(secret), context); !bytes.Equal(sealed, again) {
			t.Errorf("the same secret of %d octets in the same place is sealed differently", len(secret))
		}
	}
}

// Another secret, another place, another key: nothing of the sealed forms is
// the same, so that nobody sees which keys are equal.
func TestSealedDiffers(t *testing.T) {
	t.Parallel()
	k, secret := testKey(t, 1), []byte("c2VjcmV0")
	sealed := k.Seal(secret, []byte("a"))
	for what, other := range map[string][]byte{
		"secret": k.Seal([]byte("c2VjcmV1"), []byte("a")),
		"place":  k.Seal(secret, []byte("b")),
		"key":    testKey(t, 2).Seal(secret, []byte("a")),
		"moved":  k.Seal([]byte("2VjcmV0"), []byte("ac")),
	} {
		if bytes.Equal(sealed[1+idSize:head], other[1+idSize:head]) || bytes.Contains(other, sealed[head:]) {
			t.Errorf("another %s: the sealed form shows it", what)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	k, context := testKey(t, 1), []byte("a")
	sealed := k.Seal([]byte("c2VjcmV0"), context)
	if _, err := k.Open(sealed, []byte("b")); !errors.Is(err, ErrDamaged) {
		t.Errorf("in another place: %v", err)
	}
	if _, err := testKey(t, 2).Open(sealed, context); !errors.Is(err, ErrOtherKey) {
		t.Errorf("with another key: %v", err)
	}
	for n := range sealed {
		if _, err := k.Open(sealed[:n], context); !errors.Is(err, ErrDamaged) {
			t.Errorf("cut to %d octets: %v", n, err)
		}
		broken := bytes.Clone(sealed)
		broken[n] ^= 0x40
		if _, err := k.Open(broken, context); err == nil {
			t.Errorf("octet %d changed: no error", n)
		}
	}
	newer := bytes.Clone(sealed)
	newer[0]++
	if _, err := k.Open(newer, context); !errors.Is(err, ErrNewer) {
		t.Errorf("a newer form: %v", err)
	}
}

// FuzzOpen: whatever octets are stored, opening them neither panics nor gives
// anything that was not sealed in that place.
func FuzzOpen(f *testing.F) {
	k := testKey(f, 1)
	f.Add(k.Seal([]byte("c2VjcmV0"), []byte("tsig k1")), []byte("tsig k1"))
	f.Add([]byte{1}, []byte(nil))
	f.Fuzz(func(t *testing.T, sealed, context []byte) {
		secret, err := k.Open(sealed, context)
		if err == nil && !bytes.Equal(k.Seal(secret, context), sealed) {
			t.Error("opened what was never sealed")
		}
	})
}
