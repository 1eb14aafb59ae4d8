package nameserver

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestParseCookieSecrets(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		count      int
		err        string // part of it; empty for none
	}{
		{"one", rfcSecret, 1, ""},
		{"two, with comments", "# of 2026\n\n " + rfcNewSecret + "\t\r\n" + strings.ToUpper(rfcOldSecret) + "\n", 2, ""},
		{"none", "# nothing\n\n", 0, "no cookie secret"},
		{"empty", "", 0, "no cookie secret"},
		{"short", rfcSecret + "\n" + rfcSecret[:30], 0, "line 2: a cookie secret has 32 hexadecimal digits, this has 30 octets"},
		{"long", rfcSecret + "00", 0, "line 1: "},
		{"not hexadecimal", rfcSecret[:31] + "g", 0, "line 1: a cookie secret holds something else"},
		{"too many", strings.Repeat(rfcSecret+"\n", 5), 0, "line 5: more than 4"},
	} {
		got, err := ParseCookieSecrets([]byte(tc.text))
		if len(got) != tc.count || (err == nil) != (tc.err == "") {
			t.Errorf("%s: got %d secrets, %v", tc.name, len(got), err)
		}
		if err != nil && (!strings.Contains(err.Error(), tc.err) || strings.Contains(err.Error(), rfcSecret[:8])) {
			t.Errorf("%s: got %q, want %q in it and no secret", tc.name, err, tc.err)
		}
	}
}

func TestCookieSecretIsNeverPrinted(t *testing.T) {
	t.Parallel()
	jar := jarOf(t, rfcSecret)
	core, logs := observer.New(zap.DebugLevel)
	zap.New(core).Info("", zap.Any("secret", jar.load()[0]))
	encoded, err := json.Marshal(logs.All()[0].ContextMap())
	texts := []string{string(encoded), fmt.Sprint(err)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%d"} {
		texts = append(texts, fmt.Sprintf(verb, jar.load()), fmt.Sprintf(verb, jar))
	}
	all := strings.Join(texts, "\n")
	for _, secret := range []string{rfcSecret, strings.ToUpper(rfcSecret), "229 233 115", "229,233,115", "0xe5, 0xe9"} {
		if strings.Contains(all, secret) {
			t.Errorf("got %s", all)
		}
	}
}

// A random secret lives for a day, and is accepted for another.
func TestCookieSecretRotates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		jar, client := newCookieJar(randomCookieSecret()), netip.MustParseAddr("192.0.2.1")
		var running sync.WaitGroup
		running.Go(func() { jar.rotate(ctx) })
		var made cookie
		jar.answer(&made, []byte("12345678"), client, 1000)
		for day, want := range []bool{true, true, false} {
			var next cookie
			if good := jar.answer(&next, made[:], client, 1000); good != want || (next == made) != (day == 0) {
				t.Errorf("day %d: got good %v, renewed %v", day, good, next != made)
			}
			sleepADay(t)
		}
		cancel()
		running.Wait()
	})
}

// sleepADay passes a day of the bubble's clock.
func sleepADay(t *testing.T) {
	t.Helper()
	timer := time.NewTimer(cookieRotation)
	<-timer.C
	synctest.Wait()
}
