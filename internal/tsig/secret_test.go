package tsig

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// TestSecretNeverPrinted formats a key, and what holds one, in every way that a
// careless log line could.
func TestSecretNeverPrinted(t *testing.T) {
	t.Parallel()
	k := testKey(t)
	raw, err := base64.StdEncoding.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	decimal := strings.Trim(fmt.Sprint(raw), "[]")
	forbidden := []string{
		secret, string(raw), hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)), decimal,
		strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", raw), "[]byte{"), "}"),
		strings.ReplaceAll(decimal, " ", ","),
	}
	request, _ := k.Sign(pack(t, query()), nil, time.Unix(1_700_000_000, 0))
	verified, _ := Verify(request, one(k), time.Unix(1_700_000_000, 0))
	request, _ = k.Sign(pack(t, query()), nil, time.Unix(1_700_000_000, 0))
	_, rejected := Verify(request, one(k), time.Unix(1_800_000_000, 0))
	if verified.Key == nil || rejected == nil || rejected.key == nil {
		t.Fatal("neither a request nor an error holds the key")
	}
	_, badAlgorithm := k.WithAlgorithm("none")
	_, badName := NewKey("a..b", "hmac-sha256", secret)
	_, badSecret := NewKey("a", "hmac-sha256", secret+"%")
	values := map[string]any{
		"key": k, "key by value": *k, "in a struct": struct{ Key *Key }{k}, "in a struct by value": struct{ Key Key }{*k},
		"in a slice": []*Key{k}, "in a map": map[string]*Key{"k": k}, "answer": NewAnswer(k, nil),
		"request": verified, "rejected": rejected, "errors": errors.Join(badAlgorithm, badName, badSecret),
	}
	for name, v := range values {
		var out []string
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%b", "%o", "%t"} {
			out = append(out, fmt.Sprintf(verb, v))
		}
		if b, err := json.Marshal(v); err == nil {
			out = append(out, string(b))
		}
		out = append(out, logged(v, zapcore.NewJSONEncoder), logged(v, zapcore.NewConsoleEncoder))
		for _, text := range out {
			for _, bad := range forbidden {
				if strings.Contains(text, bad) {
					t.Errorf("%s shows the secret: %s", name, text)
				}
			}
		}
	}
}

func logged(v any, encoder func(zapcore.EncoderConfig) zapcore.Encoder) string {
	var out bytes.Buffer
	core := zapcore.NewCore(encoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(&out), zap.DebugLevel)
	zap.New(core).Info("a line", zap.Any("value", v), zap.Reflect("reflected", v))
	return out.String()
}
